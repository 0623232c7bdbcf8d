using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests;

/// <summary>
/// Fake time on a machine that can be suspended, and whose wall clock can be set: the monotonic clock hears of neither.
/// </summary>
internal sealed class SuspendableClock() : FakeTimeProvider(TaskTestHost.Start)
{
    private long _unheard;

    public override long GetTimestamp() => base.GetTimestamp() - Volatile.Read(ref _unheard);

    /// <summary>The machine sleeps: the world's time goes on, and no timer of the machine's does.</summary>
    public void Suspend(TimeSpan time) => SetWallClock(time);

    /// <summary>The wall clock is moved, and nothing else.</summary>
    public void SetWallClock(TimeSpan by)
    {
        var before = base.GetTimestamp();
        AdjustTime(GetUtcNow() + by);
        Interlocked.Add(ref _unheard, base.GetTimestamp() - before);
    }
}
