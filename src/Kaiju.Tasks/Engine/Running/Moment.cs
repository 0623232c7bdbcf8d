namespace Kaiju.Tasks.Engine;

/// <summary>
/// A moment in the life of this process, by both of its clocks. The monotonic one stands still while the machine is
/// suspended, and the store's time does not. The wall clock may be put back. So the longer of the two times that have
/// passed counts.
/// </summary>
internal sealed class Moment(TimeProvider clock)
{
    private readonly DateTimeOffset _time = clock.GetUtcNow();

    /// <summary>The moment as a timestamp of the monotonic clock.</summary>
    public long Timestamp { get; } = clock.GetTimestamp();

    /// <summary>How long ago it was, at least.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            var (steady, wall) = (clock.GetElapsedTime(Timestamp), clock.GetUtcNow() - _time);
            return steady > wall ? steady : wall;
        }
    }
}
