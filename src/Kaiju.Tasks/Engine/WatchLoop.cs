using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When a manager writes that it is there: in a rhythm of its own, whatever there is to do and however long a duty takes. A gap between two
/// writes means that the store was away, and then executors get another lifetime to ping.
/// </summary>
internal sealed class WatchLoop(TaskManager manager, TimeProvider clock, KaijuTasksOptions options, ILogger<WatchLoop> logger)
{
    private readonly ILogger _logger = logger.Guarded();

    /// <summary>Once in a third of an interval, so that a slow answer still makes it within the half.</summary>
    private readonly TimeSpan _interval = options.PingInterval / 3;

    /// <summary>A later answer comes too late.</summary>
    private readonly TimeSpan _patience = options.PingInterval / 2;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(clock, _interval);
        var isAway = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var bound = new BoundedToken(_patience, clock, cancellationToken);
                await bound.WaitAsync(manager.WatchAsync(bound.Token), "a manager's watch").ConfigureAwait(false);
                isAway = false;
                delay.Reset();
                await Task.Delay(_interval, clock, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // Said once; what else the manager asks meets the same fault.
                if (!isAway)
                {
                    Log.WatchFailed(_logger, e);
                }

                isAway = true;
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
