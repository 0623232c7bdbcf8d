namespace Kaiju.Tasks.Threading;

/// <summary>Rounds times for timers.</summary>
internal static class TimerTime
{
    /// <summary>Timers have 1 ms resolution. Round up: waking early means waking twice.</summary>
    public static TimeSpan RoundUp(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds));
}
