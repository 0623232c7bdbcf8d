using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Sends an executor's heartbeats, once every <see cref="KaijuTasksOptions.PingInterval"/>, and searches for stray
/// claims after each. It is independent of claims and stages, so a heartbeat does not wait for them. A failed heartbeat
/// is retried soon.
/// </summary>
internal sealed class HeartbeatLoop(
    TaskExecutor executor, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages)
{
    /// <summary>The name of this work in the log of outages.</summary>
    public const string Work = "send heartbeats";

    private const string Strays = "look for stray claims";

    private readonly PingRhythm _rhythm = new(options);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(clock, _rhythm.LongestPause);
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = clock.GetTimestamp();
            var work = Work;
            try
            {
                await executor.HeartbeatAsync(cancellationToken).ConfigureAwait(false);
                outages.Succeeded(Work);
                work = Strays;
                await executor.GiveBackStraysAsync(cancellationToken).ConfigureAwait(false);
                outages.Succeeded(Strays);
                delay.Reset();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                outages.Failed(work, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            await RestAsync(began, cancellationToken).ConfigureAwait(false);
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
