using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When a manager ticks: when the store's next duty is due, looked up when a hint says so and at least once every poll
/// interval.
/// </summary>
internal sealed class ManagerLoop(TaskManager manager, ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    /// <summary>
    /// Even if the store knows of nothing to do, all duties are tried once every so many poll intervals.
    /// </summary>
    private const int IdleIntervals = 12;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.MaxFaultDelay);
        var backoff = new Backoff(clock);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Duty))
            {
                wake.Set();
            }
        });
        long? ticked = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            // One question instead of all duties: most of what wakes a manager is somebody else's business.
            var left = await GetTimeLeftAsync(cancellationToken).ConfigureAwait(false);
            if (left > TimeSpan.Zero
                && ticked is { } last && clock.GetElapsedTime(last) < options.PollInterval * IdleIntervals)
            {
                backoff.Reset();
                await wake.WaitAsync(left, cancellationToken).ConfigureAwait(false);
                continue;
            }

            ticked = clock.GetTimestamp();
            var tick = await manager.TickAsync(cancellationToken).ConfigureAwait(false);
            if (tick.Faults > 0)
            {
                // The duties that failed are tried again even if nothing is due: only their success ends the outage in
                // the log.
                ticked = null;
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            delay.Reset();
            if (tick.Moved > 0 || left > TimeSpan.Zero)
            {
                backoff.Reset();
                continue;
            }

            // Due, and yet nothing moved: another transaction holds the row, or another manager was faster.
            await backoff
                .WaitAsync(options.PollInterval, pause => wake.WaitAsync(pause, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The time until there is something to do, at most the poll interval; none if the store cannot say.
    /// </summary>
    private async Task<TimeSpan> GetTimeLeftAsync(CancellationToken cancellationToken)
    {
        try
        {
            var next = await manager.GetTimeToNextDutyAsync(cancellationToken).ConfigureAwait(false);
            var left = TimerTime.RoundUp(next ?? options.PollInterval);
            return left < options.PollInterval ? left : options.PollInterval;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The tick meets the same fault and says so.
            return TimeSpan.Zero;
        }
    }
}
