namespace Kaiju.Tasks.Engine;

/// <summary>A token for one stage: cancelled with the run's, or when the stage's own time is over.</summary>
internal sealed class StageTimeout : IDisposable
{
    private readonly CancellationTokenSource _both;
    private readonly ITimer _timer;
    private int _isOver;

    public StageTimeout(TimeSpan timeout, TimeProvider clock, CancellationToken run)
    {
        _both = CancellationTokenSource.CreateLinkedTokenSource(run);
        Token = _both.Token;
        _timer = clock.CreateTimer(static self => ((StageTimeout)self!).End(), this, timeout, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token { get; }

    public void Dispose()
    {
        _timer.Dispose();
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _both.Dispose();
        }
    }

    // Not on the timer's thread: what a handler has registered with its token runs inside, and what it throws there would
    // end the process.
    private void End()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _ = _both.CancelAsync();
        }
    }
}
