using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Applies a client's event, such as a cancel or a message, to one task.</summary>
internal sealed class EventStep(string taskId, CallContext context, TaskEvent happened)
{
    /// <summary>The last try: the row as written, and the state before.</summary>
    private (TaskRow Row, ManagedState Before)? _tried;

    public async ValueTask<bool> RunAsync(SqlStep step)
    {
        var row = await step.FindAsync(taskId, context.Scope, DefinitionNeed.Of(happened)).ConfigureAwait(false);
        if (step.IsRepeated && _tried is var (tried, beforeTry)
            && await FindAnswerAsync(step, row, tried, beforeTry).ConfigureAwait(false) is { } answer)
        {
            return answer;
        }

        if (row is null)
        {
            return false;
        }

        var before = row.State;
        if (!await step.ApplyEventAsync(row, happened).ConfigureAwait(false))
        {
            return false;
        }

        _tried = (row, before);
        return true;
    }

    public static TaskOutcomeUnknownException Unknown(TaskRow row, string why) =>
        new($"The store's answer was lost, and task \"{row.Id}\" {why}.");

    /// <summary>
    /// The answer to an event that was tried before. Null: that try was not committed, and the event is still to be
    /// applied.
    /// </summary>
    private async ValueTask<bool?> FindAnswerAsync(SqlStep step, TaskRow? row, TaskRow tried, ManagedState before)
    {
        var after = tried.State;
        if (row?.TaskNo != tried.TaskNo)
        {
            throw Unknown(tried, "was deleted in the meantime");
        }

        if (IsSame(row.State, after) || (after.JobId != before.JobId && row.State.JobId == after.JobId))
        {
            return true;
        }

        var isSameRun = row.State.JobId == before.JobId;
        return happened switch
        {
            TaskEvent.MessageSent when await IsReceivedAsync(step, tried, before).ConfigureAwait(false) => true,

            // False for a later wait: the message was for the wait that has ended.
            TaskEvent.MessageSent when isSameRun => IsSame(row.State, before) ? null : false,

            // Only a retry resumes a cancelled run, and a reset begins another run: neither happened here.
            TaskEvent.Cancelled when isSameRun && row.State.Attempt > before.Attempt =>
                throw Unknown(row, "was retried in the meantime"),
            _ when isSameRun => null,
            TaskEvent.Cancelled when await FindRunAsync(step, row, before.JobId).ConfigureAwait(false) is { } run =>
                run.Ended == after.StatusChange,
            TaskEvent.Reset when await FindRunAsync(step, row, after.JobId).ConfigureAwait(false) is not null => true,
            _ => throw Unknown(row, "began another run in the meantime"),
        };
    }

    /// <summary>True if the result of the stage that waited is the message of this try.</summary>
    private static async ValueTask<bool> IsReceivedAsync(SqlStep step, TaskRow tried, ManagedState before)
    {
        var entries = await step.QueryAsync(
            "get_stages", HistoryRows.ReadEntry, Argument.Text("id", tried.Id)).ConfigureAwait(false);
        return entries.Exists(entry => entry.JobId == before.JobId && entry.Pass == before.Pass
            && entry.Stage == before.Stage && entry.Error is null && entry.Finished == tried.State.StatusChange);
    }

    /// <summary>Finds the outcome of an earlier run; null if it is not kept.</summary>
    public static async ValueTask<TaskRun?> FindRunAsync(SqlStep step, TaskRow row, string jobId) =>
        (await step.QueryAsync(
        "get_run",
        HistoryRows.ReadRun(row.Id),
        Argument.Long("task_no", row.TaskNo),
        Argument.Text("job_id", jobId)).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>
    /// Compares states without their errors, which have no value equality. Each change of the error also changes a
    /// time.
    /// </summary>
    private static bool IsSame(ManagedState one, ManagedState other) =>
        one with { Error = null } == other with { Error = null };
}
