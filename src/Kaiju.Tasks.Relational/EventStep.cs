using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Applies one event from outside to one task.</summary>
internal sealed class EventStep(string taskId, CallContext context, TaskEvent happened)
{
    /// <summary>The last try: the row as it was written, and the state before.</summary>
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
        new($"The answer of the store was lost, and the task \"{row.Id}\" {why}.");

    /// <summary>
    /// The answer to an event that was tried before; null if that try was not committed, so that the event is still to
    /// come.
    /// </summary>
    private async ValueTask<bool?> FindAnswerAsync(SqlStep step, TaskRow? row, TaskRow tried, ManagedState before)
    {
        var after = tried.State;
        if (row?.TaskNo != tried.TaskNo)
        {
            throw Unknown(tried, "has been deleted since");
        }

        if (IsSame(row.State, after) || (after.JobId != before.JobId && row.State.JobId == after.JobId))
        {
            return true;
        }

        var isSameRun = row.State.JobId == before.JobId;
        return happened switch
        {
            TaskEvent.MessageSent when await IsReceivedAsync(step, tried, before).ConfigureAwait(false) => true,

            // Not a later wait: the message was for the one that there was.
            TaskEvent.MessageSent when isSameRun => IsSame(row.State, before) ? null : false,

            // A cancelled run stays as it is, and a run that was reset does not come back.
            _ when isSameRun => null,
            TaskEvent.Cancelled when await FindRunAsync(step, row, before.JobId).ConfigureAwait(false) is { } run =>
                run.Ended == after.StatusChange,
            TaskEvent.Reset when await FindRunAsync(step, row, after.JobId).ConfigureAwait(false) is not null => true,
            _ => throw Unknown(row, "has begun another run since"),
        };
    }

    /// <summary>True if the result of the stage that waited is the one of this try.</summary>
    private static async ValueTask<bool> IsReceivedAsync(SqlStep step, TaskRow tried, ManagedState before)
    {
        var entries = await step.QueryAsync(
            "get_stages", HistoryRows.ReadEntry, Argument.Text("id", tried.Id)).ConfigureAwait(false);
        return entries.Exists(entry => entry.JobId == before.JobId && entry.Pass == before.Pass
            && entry.Stage == before.Stage && entry.Error is null && entry.Finished == tried.State.StatusChange);
    }

    private static async ValueTask<TaskRun?> FindRunAsync(SqlStep step, TaskRow row, string jobId) =>
        (await step.QueryAsync(
        "get_run",
        HistoryRows.ReadRun(row.Id),
        Argument.Long("task_no", row.TaskNo),
        Argument.Text("job_id", jobId)).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>An error has no equality of its own; whatever sets it sets a time as well.</summary>
    private static bool IsSame(ManagedState one, ManagedState other) =>
        one with { Error = null } == other with { Error = null };
}
