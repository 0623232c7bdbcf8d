using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Decides when a manager ticks: when the store's next duty is due. The due time is read after each hint, and at least
/// once every <see cref="KaijuTasksOptions.PollInterval"/>.
/// </summary>
internal sealed class ManagerLoop(TaskManager manager, ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    /// <summary>
    /// The number of poll intervals after which all duties are tried, even if the store knows of none that is due.
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
            // One query instead of all duties: most hints that wake a manager do not concern it.
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
                // Failed duties are retried even if none is due: only their success ends the outage in the log.
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
    /// The time until the next duty is due, at most the poll interval; zero if the store does not answer.
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
            // The tick fails in the same way and logs it.
            return TimeSpan.Zero;
        }
    }
}
