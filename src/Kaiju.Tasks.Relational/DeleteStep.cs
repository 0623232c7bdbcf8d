using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Deletes a task with all of its rows.</summary>
internal sealed class DeleteStep(string taskId, CallContext context)
{
    /// <summary>The number of the task that the last try deleted.</summary>
    private long? _tried;

    public async ValueTask<bool> RunAsync(SqlStep step)
    {
        var row = await step.FindAsync(taskId, context.Scope, DefinitionNeed.None).ConfigureAwait(false);
        if (step.IsRepeated && _tried is { } deleted && row?.TaskNo != deleted)
        {
            // The last try deleted it; the task that has the id now is another one.
            return true;
        }

        if (row is null)
        {
            return false;
        }

        _tried = row.TaskNo;
        await step.DeleteAsync([row.TaskNo]).ConfigureAwait(false);
        var lost = row.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost;
        step.Hint(StoreHintKinds.Ended | lost, row);
        return true;
    }
}
