using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When an executor pings: in a rhythm of its own, apart from all work and from every other question, so that it waits for neither. A ping
/// that fails is repeated soon.
/// </summary>
internal sealed class HeartbeatLoop(TaskExecutor executor, TimeProvider clock, KaijuTasksOptions options, ILogger<HeartbeatLoop> logger)
{
    private readonly ILogger _logger = logger.Guarded();
    private readonly PingRhythm _rhythm = new(options);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(clock, _rhythm.LongestPause);
        var isAway = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = clock.GetTimestamp();
            try
            {
                await executor.HeartbeatAsync(cancellationToken).ConfigureAwait(false);
                if (isAway)
                {
                    Log.HeartbeatRecovered(_logger, executor.Info.Id);
                }

                isAway = false;
                delay.Reset();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // An outage is reported once, and its end once.
                if (!isAway)
                {
                    Log.HeartbeatFailed(_logger, e, executor.Info.Id);
                }

                isAway = true;
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            await GiveBackStraysAsync(cancellationToken).ConfigureAwait(false);
            await RestAsync(began, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task GiveBackStraysAsync(CancellationToken cancellationToken)
    {
        try
        {
            await executor.GiveBackStraysAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Asked again after the next ping.
            Log.StraysFailed(_logger, e, executor.Info.Id);
        }
    }

    private async Task RestAsync(long began, CancellationToken cancellationToken)
    {
        var left = TimerTime.RoundUp(_rhythm.Interval - clock.GetElapsedTime(began));
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
