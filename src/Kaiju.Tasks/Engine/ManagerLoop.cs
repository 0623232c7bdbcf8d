using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>When a manager ticks: when the store's next duty is due, when a hint says so, and at least once every poll interval.</summary>
internal sealed class ManagerLoop(TaskManager manager, ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.MaxFaultDelay);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Duty))
            {
                wake.Set();
            }
        });
        while (!cancellationToken.IsCancellationRequested)
        {
            var tick = await manager.TickAsync(cancellationToken).ConfigureAwait(false);
            if (tick.Faults > 0)
            {
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            delay.Reset();
            if (!tick.HasMore)
            {
                await wake.WaitAsync(await SleepAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<TimeSpan> SleepAsync(CancellationToken cancellationToken)
    {
        try
        {
            var next = await manager.GetTimeToNextDutyAsync(cancellationToken).ConfigureAwait(false) ?? options.PollInterval;

            // A timer counts whole milliseconds: a little too late is once, a little too early is twice.
            next = TimeSpan.FromMilliseconds(Math.Ceiling(next.TotalMilliseconds));
            return next < options.PollInterval ? next : options.PollInterval;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The next tick meets the same fault and says so.
            return options.PollInterval;
        }
    }
}
