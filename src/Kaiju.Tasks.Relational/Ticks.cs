namespace Kaiju.Tasks.Relational;

/// <summary>
/// Times and durations as they are stored: in steps of 100 ns, times counted from 1970. So no store rounds a value that
/// another store keeps exactly.
/// </summary>
internal static class Ticks
{
    public static long Of(DateTimeOffset time) => time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;

    public static long? Of(DateTimeOffset? time) => time is { } known ? Of(known) : null;

    public static DateTimeOffset Time(long ticks) => new(ticks + DateTimeOffset.UnixEpoch.Ticks, TimeSpan.Zero);

    public static DateTimeOffset? Time(long? ticks) => ticks is { } known ? Time(known) : null;
}
