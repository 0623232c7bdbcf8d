using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// The cancellation token of one stage: cancelled with the run's token, or after the stage's timeout.
/// </summary>
internal sealed class StageTimeout : IDisposable
{
    private readonly CancellationTokenSource _both;
    private readonly ITimer _timer;
    private readonly Offload _offload;
    private readonly HandlerCall _call;
    private readonly int _stage;
    private int _isOver;

    public StageTimeout(TimeSpan timeout, TimeProvider clock, Offload offload, ActiveRun run, int stage)
    {
        (_offload, _call, _stage) = (offload, run.Call, stage);
        _both = CancellationTokenSource.CreateLinkedTokenSource(run.Stop.Token);
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

    private void End()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _offload.Cancel(_both);
            _call.Leave(_stage);
        }
    }
}
