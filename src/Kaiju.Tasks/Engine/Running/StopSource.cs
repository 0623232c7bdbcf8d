using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>The reason why a run must stop before its end.</summary>
internal enum StopReason
{
    None,

    /// <summary>The run's deadline has passed.</summary>
    Deadline,

    /// <summary>The claim is lost: the run must not write anything.</summary>
    Superseded,

    /// <summary>The host is stopping: the stage is not reported, and the task is released.</summary>
    Stopping,

    /// <summary>The run has ended by itself.</summary>
    Ended,
}

/// <summary>
/// Stops a run. The first reason counts: it cancels the run's token, and takes the run from a handler that keeps its
/// thread.
/// </summary>
internal sealed class StopSource : IDisposable
{
    private readonly Offload _offload;
    private readonly HandlerCall _call;
    private readonly CancellationTokenSource _cancel = new();
    private int _reason;
    private volatile bool _isSuperseded;

    public StopSource(Offload offload, HandlerCall call)
    {
        (_offload, _call) = (offload, call);
        Token = _cancel.Token;
    }

    /// <summary>Cancelled with the first reason to stop.</summary>
    public CancellationToken Token { get; }

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>
    /// True once the claim is lost, even if the run stops for another reason. Its report is then not needed.
    /// </summary>
    public bool IsSuperseded => _isSuperseded;

    public void Supersede()
    {
        _isSuperseded = true;
        Request(StopReason.Superseded);
    }

    public void Request(StopReason reason)
    {
        if (TrySet(reason))
        {
            _offload.Cancel(_cancel);

            // The call of any stage, because the reason concerns the whole run. A later call sees the reason.
            _call.Leave();
        }
    }

    public void Dispose()
    {
        // A timer or a heartbeat may request a stop on another thread at the same time. The first reason decides: after
        // an end the token is not cancelled, and after a stop the garbage collector frees the source.
        if (TrySet(StopReason.Ended))
        {
            _cancel.Dispose();
        }
    }

    private bool TrySet(StopReason reason) =>
        Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) == (int)StopReason.None;
}
