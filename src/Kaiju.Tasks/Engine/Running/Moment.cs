namespace Kaiju.Tasks.Engine;

/// <summary>
/// A moment in this process, by its monotonic clock and its wall clock. While the machine is suspended, the monotonic
/// clock stops but the store's time does not; the wall clock may be set back. So the longer of the two elapsed times
/// counts.
/// </summary>
internal sealed class Moment(TimeProvider clock)
{
    private readonly DateTimeOffset _time = clock.GetUtcNow();

    /// <summary>The moment as a timestamp of the monotonic clock.</summary>
    public long Timestamp { get; } = clock.GetTimestamp();

    /// <summary>The time since the moment: the longer of the times that the two clocks measured.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            var (steady, wall) = (clock.GetElapsedTime(Timestamp), clock.GetUtcNow() - _time);
            return steady > wall ? steady : wall;
        }
    }
}
