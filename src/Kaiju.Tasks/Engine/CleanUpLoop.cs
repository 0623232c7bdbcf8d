using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>When ended tasks are deleted, in hosts that ask for it: once every hour, in bounded batches.</summary>
internal sealed class CleanUpLoop(ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    private static readonly TimeSpan _interval = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await CleanUpAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(_interval, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes what has ended long enough ago.</summary>
    public async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        while ((await store.DeleteEndedAsync(options.DeleteEndedAfter!.Value, options.ManagerBatch, cancellationToken).ConfigureAwait(false)).Count == options.ManagerBatch)
        {
        }
    }
}
