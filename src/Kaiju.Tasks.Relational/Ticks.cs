namespace Kaiju.Tasks.Relational;

/// <summary>
/// Times and durations as they are stored: whole steps of 100 ns, times since 1970, so that no store rounds what
/// another keeps.
/// </summary>
internal static class Ticks
{
    public static long Of(DateTimeOffset time) => time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;

    public static long? Of(DateTimeOffset? time) => time is { } known ? Of(known) : null;

    public static DateTimeOffset Time(long ticks) => new(ticks + DateTimeOffset.UnixEpoch.Ticks, TimeSpan.Zero);

    public static DateTimeOffset? Time(long? ticks) => ticks is { } known ? Time(known) : null;
}
