namespace Kaiju.Tasks.Engine;

/// <summary>A run's start and deadline, as timestamps of the host's clock.</summary>
internal readonly struct RunClock
{
    public RunClock(TimeProvider clock, TimeSpan timeLeft)
    {
        Began = clock.GetTimestamp();
        var steps = (timeLeft > TimeSpan.Zero ? timeLeft : TimeSpan.Zero).TotalSeconds * clock.TimestampFrequency;
        Deadline = steps < long.MaxValue - Began ? Began + (long)steps : long.MaxValue;
    }

    public long Began { get; }

    public long Deadline { get; }
}
