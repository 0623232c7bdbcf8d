namespace Kaiju.Tasks.Diagnostics;

/// <summary>Whether and how a failure is logged.</summary>
internal enum FaultNews
{
    /// <summary>The failure is not logged.</summary>
    None,

    /// <summary>The first failure of an episode.</summary>
    Begins,

    /// <summary>The failures have lasted for another minute since the last line.</summary>
    Lasts,
}

/// <summary>
/// Decides when repeated failures are logged: when they begin, once a minute while they last, and when they end. Work
/// that fails and succeeds by turns logs at most one failure a minute, and the end of each logged episode.
/// </summary>
internal sealed class FaultEpisode(TimeProvider clock)
{
    /// <summary>The shortest time between two lines about failures: one minute.</summary>
    public static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(1);

    private long? _began;
    private long? _said;
    private bool _isSaid;

    /// <summary>The number of failures in this episode.</summary>
    public int Count { get; private set; }

    /// <summary>The time since the first failure of this episode; zero before it.</summary>
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

    /// <summary>
    /// Ends the episode. Returns its length and its number of failures; null if no failure was logged.
    /// </summary>
    public (TimeSpan Elapsed, int Count)? End()
    {
        (TimeSpan, int)? end = _isSaid ? (Elapsed, Count) : null;
        (_began, _isSaid, Count) = (null, false, 0);
        return end;
    }
}
