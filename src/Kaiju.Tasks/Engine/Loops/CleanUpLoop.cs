using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Deletes ended tasks and old notifications once an hour, in bounded batches, if the options ask for it.
/// </summary>
internal sealed class CleanUpLoop(ITaskStore store, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages)
{
    private const string Work = "delete ended tasks";
    private static readonly TimeSpan _interval = TimeSpan.FromHours(1);

    public Task RunAsync(CancellationToken cancellationToken) =>
        new RegularWork(Work, _interval, options.MaxFaultDelay, clock, outages)
            .RunAsync(CleanUpAsync, cancellationToken);

    /// <summary>Deletes the tasks and notifications that are older than the options allow.</summary>
    public async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        await DeleteAsync(TaskState.Finished, options.DeleteEndedAfter, cancellationToken).ConfigureAwait(false);
        await DeleteAsync(TaskState.Failed, options.DeleteFailedAfter ?? options.DeleteEndedAfter, cancellationToken)
            .ConfigureAwait(false);

        if (options.DeleteNotificationsAfter is { } left)
        {
            int deleted;
            do
            {
                deleted = await store.DeleteNotificationsAsync(left, options.ManagerBatch, cancellationToken)
                    .ConfigureAwait(false);
            }
            while (deleted == options.ManagerBatch);
        }
    }

    private async Task DeleteAsync(TaskState state, TimeSpan? after, CancellationToken cancellationToken)
    {
        if (after is not { } age)
        {
            return;
        }

        IReadOnlyList<string> deleted;
        do
        {
            deleted = await store.DeleteEndedAsync(state, age, options.ManagerBatch, cancellationToken)
                .ConfigureAwait(false);
        }
        while (deleted.Count == options.ManagerBatch);
    }
}
