using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>
/// What changes or removes tasks from outside. Such a step must not be done twice, so each remembers what its last try did: if the answer of
/// that try was lost, the next one tells by what is stored now whether it was committed. Where nothing tells, the caller gets
/// <see cref="TaskOutcomeUnknownException"/>.
/// </content>
internal abstract partial class RelationalTaskStore
{
    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken)
    {
        long? tried = null;
        return WriteAsync(
            async step =>
            {
                var row = await step.FindAsync(taskId, context.Scope, DefinitionNeed.None).ConfigureAwait(false);
                if (step.IsRepeated && tried is { } deleted && row?.TaskNo != deleted)
                {
                    // Gone; what has its id now is another task.
                    return true;
                }

                if (row is null)
                {
                    return false;
                }

                tried = row.TaskNo;
                await DeleteAsync(step, [row.TaskNo]).ConfigureAwait(false);
                step.Hint(StoreHintKinds.Ended | (row.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost), row);
                return true;
            },
            cancellationToken);
    }

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        List<(long TaskNo, string Id)> tried = [];
        return WriteAsync<IReadOnlyList<string>>(
            async step =>
            {
                if (step.IsRepeated && tried.Count > 0 && !await AreThereAsync(step, tried).ConfigureAwait(false))
                {
                    return tried.ConvertAll(task => task.Id);
                }

                var before = Ticks.Of(await step.NowAsync().ConfigureAwait(false) - age);
                tried = await step.QueryAsync(
                    "ended", row => (TaskNo: row.GetInt64(0), Id: row.GetString(1)), Argument.Long("before", before), Argument.Integer("most", limit)).ConfigureAwait(false);
                await DeleteAsync(step, tried.ConvertAll(task => task.TaskNo)).ConfigureAwait(false);
                foreach (var (_, id) in tried)
                {
                    step.Hint(StoreHintKinds.Ended, null, id);
                }

                return tried.ConvertAll(task => task.Id);
            },
            cancellationToken);
    }

    /// <summary>True if any of the tasks is still there.</summary>
    private static async ValueTask<bool> AreThereAsync(SqlStep step, List<(long TaskNo, string Id)> tasks) =>
        (await step.QueryAsync("find_tasks", row => row.GetInt64(0), Argument.Longs("tasks", tasks.Select(task => task.TaskNo))).ConfigureAwait(false)).Count > 0;

    private static async ValueTask<UpdateAnswer> UpdateAsync(SqlStep step, TaskDefinition definition, int revision, CallContext context, TriedUpdate tried)
    {
        var row = await step.FindAsync(definition.Id!, context.Scope, DefinitionNeed.All).ConfigureAwait(false);
        if (row is null || (step.IsRepeated && tried.TaskNo is { } updated && updated != row.TaskNo))
        {
            return new UpdateAnswer(UpdateResult.Missing, []);
        }

        if (step.IsRepeated && tried.TaskNo is not null && row.Revision > revision)
        {
            return row.Revision == revision + 1 && row.Definition.ToStoredJson() == definition.ToStoredJson()
                ? new UpdateAnswer(UpdateResult.Updated, [])
                : throw Unknown(row, "has been updated again since");
        }

        if (row.Revision != revision)
        {
            return new UpdateAnswer(UpdateResult.Stale, []);
        }

        if (TaskUpdate.FindFaults(row.Definition, definition, row.State) is { Count: > 0 } faults)
        {
            return new UpdateAnswer(UpdateResult.Refused, faults);
        }

        tried.TaskNo = row.TaskNo;
        row.State = TaskUpdate.Apply(row.Definition, definition, row.State, await step.NowAsync().ConfigureAwait(false));
        (row.Definition, row.Revision) = (definition, row.Revision + 1);
        await step.ExecuteEachAsync("update_definitions", [row], TaskRowColumns.Definition).ConfigureAwait(false);
        step.MarkChanged(row);
        step.Hint(StoreHintKinds.Duty | (row.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.None), row);
        return new UpdateAnswer(UpdateResult.Updated, []);
    }

    private ValueTask<bool> HappenAsync(string taskId, CallContext context, TaskEvent happened, CancellationToken cancellationToken)
    {
        TriedEvent? tried = null;
        return WriteAsync(
            async step =>
            {
                var row = await step.FindAsync(taskId, context.Scope, DefinitionNeed.Of(happened)).ConfigureAwait(false);
                if (step.IsRepeated && tried is not null && await AnswerOfAsync(step, row, tried, happened).ConfigureAwait(false) is { } answer)
                {
                    return answer;
                }

                if (row is null)
                {
                    return false;
                }

                var before = row.State;
                if (!await step.HappenAsync(row, happened).ConfigureAwait(false))
                {
                    return false;
                }

                tried = new TriedEvent(row, before);
                return true;
            },
            cancellationToken);
    }

    /// <summary>The answer to an event that was tried before; null if that try was not committed, so that the event is still to come.</summary>
    private static async ValueTask<bool?> AnswerOfAsync(SqlStep step, TaskRow? row, TriedEvent tried, TaskEvent happened)
    {
        var (before, after) = (tried.Before, tried.Row.State);
        if (row?.TaskNo != tried.Row.TaskNo)
        {
            throw Unknown(tried.Row, "has been deleted since");
        }

        if (IsSame(row.State, after) || (after.JobId != before.JobId && row.State.JobId == after.JobId))
        {
            return true;
        }

        var isSameRun = row.State.JobId == before.JobId;
        return happened switch
        {
            TaskEvent.MessageSent when await IsReceivedAsync(step, row, tried).ConfigureAwait(false) => true,

            // Not a later wait: the message was for the one that there was.
            TaskEvent.MessageSent when isSameRun => IsSame(row.State, before) ? null : false,

            // A cancelled run stays as it is, and a run that was reset does not come back.
            _ when isSameRun => null,
            TaskEvent.Cancelled when await FindRunAsync(step, row, before.JobId).ConfigureAwait(false) is { } run => run.Ended == after.StatusChange,
            TaskEvent.Reset when await FindRunAsync(step, row, after.JobId).ConfigureAwait(false) is not null => true,
            _ => throw Unknown(row, "has begun another run since"),
        };
    }

    /// <summary>True if the result of the stage that waited is the one of this try.</summary>
    private static async ValueTask<bool> IsReceivedAsync(SqlStep step, TaskRow row, TriedEvent tried) =>
        (await step.QueryAsync("get_stages", ReadEntry, Argument.Text("id", row.Id)).ConfigureAwait(false)).Exists(entry =>
            entry.JobId == tried.Before.JobId && entry.Pass == tried.Before.Pass && entry.Stage == tried.Before.Stage
            && entry.Error is null && entry.Finished == tried.Row.State.StatusChange);

    private static async ValueTask<TaskRun?> FindRunAsync(SqlStep step, TaskRow row, string jobId) =>
        (await step.QueryAsync("get_run", ReadRun(row.Id), Argument.Long("task_no", row.TaskNo), Argument.Text("job_id", jobId)).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>An error has no equality of its own; whatever sets it sets a time as well.</summary>
    private static bool IsSame(ManagedState one, ManagedState other) => one with { Error = null } == other with { Error = null };

    private static TaskOutcomeUnknownException Unknown(TaskRow row, string why) =>
        new($"The answer of the store was lost, and the task \"{row.Id}\" {why}.");

    /// <summary>The last try of an event: the row as it was written, and the state before.</summary>
    private sealed record TriedEvent(TaskRow Row, ManagedState Before);

    /// <summary>The last try of an update.</summary>
    private sealed class TriedUpdate
    {
        public long? TaskNo { get; set; }
    }
}
