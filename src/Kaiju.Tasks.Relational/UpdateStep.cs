using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Replaces a task's definition with a newer revision.</summary>
internal sealed class UpdateStep(TaskDefinition definition, int revision, CallContext context)
{
    /// <summary>The number of the task that the last try updated.</summary>
    private long? _tried;

    public async ValueTask<UpdateAnswer> RunAsync(SqlStep step)
    {
        var row = await step.FindAsync(definition.Id!, context.Scope, DefinitionNeed.All).ConfigureAwait(false);
        if (row is null || (step.IsRepeated && _tried is { } updated && updated != row.TaskNo))
        {
            return new UpdateAnswer { Result = UpdateResult.Missing };
        }

        if (step.IsRepeated && _tried is not null && row.Revision > revision)
        {
            return row.Revision == revision + 1 && row.Definition.ToStoredJson() == definition.ToStoredJson()
                ? new UpdateAnswer { Result = UpdateResult.Updated }
                : throw EventStep.Unknown(row, "was updated again in the meantime");
        }

        if (row.Revision != revision)
        {
            return new UpdateAnswer { Result = UpdateResult.Stale };
        }

        if (TaskUpdate.FindFaults(row.Definition, definition, row.State) is { Count: > 0 } faults)
        {
            return new UpdateAnswer { Result = UpdateResult.Refused, Faults = faults };
        }

        _tried = row.TaskNo;
        row.State = TaskUpdate.Apply(
            row.Definition, definition, row.State, await step.NowAsync().ConfigureAwait(false));
        row.Replace(definition, TaskUpdate.KeepWaiting(row.Definition, row.Waiting, definition));
        step.MarkDefined(row);
        return new UpdateAnswer { Result = UpdateResult.Updated };
    }
}
