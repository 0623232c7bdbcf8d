using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests;

/// <summary>
/// Fake time on a machine that can be suspended and whose wall clock can be set. Neither affects the monotonic clock.
/// </summary>
internal sealed class SuspendableClock() : FakeTimeProvider(TaskTestHost.Start)
{
    private long _unheard;

    public override long GetTimestamp() => base.GetTimestamp() - Volatile.Read(ref _unheard);

    /// <summary>Suspends the machine: real time passes, but none of the machine's timers advance.</summary>
    public void Suspend(TimeSpan time) => SetWallClock(time);

    /// <summary>Moves the wall clock only.</summary>
    public void SetWallClock(TimeSpan by)
    {
        var before = base.GetTimestamp();
        AdjustTime(GetUtcNow() + by);
        Interlocked.Add(ref _unheard, base.GetTimestamp() - before);
    }
}
