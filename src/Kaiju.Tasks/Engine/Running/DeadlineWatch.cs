using System.Collections.Concurrent;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Stops runs at their deadlines. One timer serves all runs, set to the earliest deadline: most runs end long before
/// theirs and do not need their own.
/// </summary>
internal sealed class DeadlineWatch : IDisposable
{
    private const long Never = long.MaxValue;

    // A timer accepts at most about 49 days, so a longer wait is split.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<Guid, ActiveRun> _running;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private long _due = Never;

    /// <summary>Creates a watch without runs.</summary>
    /// <param name="clock">The clock of the deadlines.</param>
    /// <param name="running">The active runs; a run must be added here before it is watched.</param>
    public DeadlineWatch(TimeProvider clock, ConcurrentDictionary<Guid, ActiveRun> running)
    {
        (_clock, _running) = (clock, running);
        _timer = clock.CreateTimer(
            static self => ((DeadlineWatch)self!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Watch(ActiveRun run) => Wake(run.Deadline);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // Must be the first step: every run that is watched from now on sets the timer itself.
        Volatile.Write(ref _due, Never);
        var now = _clock.GetTimestamp();
        var next = Never;
        foreach (var run in _running.Values)
        {
            if (run.Deadline <= now)
            {
                run.Stop.Request(StopReason.Deadline);
            }
            else
            {
                next = Math.Min(next, run.Deadline);
            }
        }

        Wake(next);
    }

    private void Wake(long deadline)
    {
        if (deadline >= Volatile.Read(ref _due))
        {
            return;
        }

        lock (_lock)
        {
            if (deadline < _due)
            {
                _due = deadline;
                var left = _clock.GetElapsedTime(_clock.GetTimestamp(), deadline);
                var wait = left < _longest ? TimerTime.RoundUp(left) : _longest;
                _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
