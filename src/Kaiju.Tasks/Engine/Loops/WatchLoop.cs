using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Records in the store that a manager is active, three times in each ping interval and independently of all duties. A
/// gap between two records means that the store was unavailable; executors then get another lifetime to ping.
/// </summary>
internal sealed class WatchLoop(
    TaskManager manager, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages)
{
    private const string Work = "record the manager's presence";

    /// <summary>A third of the ping interval, so that a slow answer still arrives within half of it.</summary>
    private readonly TimeSpan _interval = options.PingInterval / 3;

    /// <summary>The longest wait for an answer: half of the ping interval, after which an answer is too late.</summary>
    private readonly TimeSpan _patience = options.PingInterval / 2;

    public Task RunAsync(CancellationToken cancellationToken) =>
        new RegularWork(Work, _interval, _interval, clock, outages).RunAsync(WatchAsync, cancellationToken);

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var bound = new BoundedToken(_patience, clock, cancellationToken);
        await bound.WaitAsync(manager.WatchAsync(bound.Token), "a manager's heartbeat").ConfigureAwait(false);
    }
}
