namespace Kaiju.Tasks.Diagnostics;

/// <summary>What a failure means for the log.</summary>
internal enum FaultNews
{
    /// <summary>Nothing new.</summary>
    None,

    /// <summary>The first failure.</summary>
    Begins,

    /// <summary>It has been failing for a minute since the last line.</summary>
    Lasts,
}

/// <summary>
/// When to log something that fails again and again: when it begins, once a minute while it lasts, and when it ends.
/// Something that fails and succeeds by turns gets a line a minute at most, and one for the end of each time that was
/// logged.
/// </summary>
internal sealed class FaultEpisode(TimeProvider clock)
{
    /// <summary>The time between two lines.</summary>
    public static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(1);

    private long? _began;
    private long? _said;
    private bool _isSaid;

    /// <summary>The failures of this episode.</summary>
    public int Count { get; private set; }

    /// <summary>The time since its first failure.</summary>
    public TimeSpan Elapsed => _began is { } began ? clock.GetElapsedTime(began) : TimeSpan.Zero;

    public FaultNews Fail()
    {
        var now = clock.GetTimestamp();
        _began ??= now;
        Count++;
        if (_said is { } said && clock.GetElapsedTime(said, now) < Rhythm)
        {
            return FaultNews.None;
        }

        var news = _isSaid ? FaultNews.Lasts : FaultNews.Begins;
        (_said, _isSaid) = (now, true);
        return news;
    }

    /// <summary>Ends the episode; null if there was none, or none that was logged.</summary>
    public (TimeSpan Elapsed, int Count)? End()
    {
        (TimeSpan, int)? end = _isSaid ? (Elapsed, Count) : null;
        (_began, _isSaid, Count) = (null, false, 0);
        return end;
    }
}
