using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When a manager writes that it is there: in a rhythm of its own, whatever there is to do and however long a duty
/// takes. A gap between two writes means that the store was away, and then executors get another lifetime to ping.
/// </summary>
internal sealed class WatchLoop(
    TaskManager manager, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages)
{
    private const string Work = "keep the watch";

    /// <summary>Once in a third of an interval, so that a slow answer still makes it within the half.</summary>
    private readonly TimeSpan _interval = options.PingInterval / 3;

    /// <summary>A later answer comes too late.</summary>
    private readonly TimeSpan _patience = options.PingInterval / 2;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(clock, _interval);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var bound = new BoundedToken(_patience, clock, cancellationToken);
                await bound.WaitAsync(manager.WatchAsync(bound.Token), "a manager's watch").ConfigureAwait(false);
                outages.Succeeded(Work);
                delay.Reset();
                await Task.Delay(_interval, clock, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                outages.Failed(Work, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
