namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// A process's clock: wrong by an offset. Its timers are steps of the agenda, which a freeze delays and a death drops.
/// </summary>
internal sealed class SimulatedClock(Agenda agenda, SimulatedProcess? owner, TimeSpan offset) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => agenda.Now + offset;

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(agenda, owner, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimulatedTimer(
        Agenda agenda, SimulatedProcess? owner, TimerCallback callback, object? state) : ITimer
    {
        // Steps cannot be removed from the agenda; a step of an earlier setting does nothing.
        private int _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var setting = ++_setting;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                agenda.Add(dueTime, owner, () => Fire(setting, period));
            }

            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int setting, TimeSpan period)
        {
            if (setting != _setting)
            {
                return;
            }

            if (period > TimeSpan.Zero)
            {
                agenda.Add(period, owner, () => Fire(setting, period));
            }

            callback(state);
        }
    }
}
