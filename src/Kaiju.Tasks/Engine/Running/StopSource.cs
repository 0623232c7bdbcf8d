using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>Why a run must stop before its end.</summary>
internal enum StopReason
{
    None,

    /// <summary>Its execution deadline is here.</summary>
    Deadline,

    /// <summary>Its claim is lost: nothing may be written any more.</summary>
    Superseded,

    /// <summary>The host stops: nothing is written, and the task is given back.</summary>
    Stopping,

    /// <summary>It has ended by itself.</summary>
    Ended,
}

/// <summary>
/// Stops a run: the first reason counts, cancels its token, and takes it from a handler that keeps its thread.
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
    /// True once the claim is lost, even if the run was stopping for another reason: its report need not be delivered.
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

            // Whichever stage's call it is: the reason is the run's. A call that begins from here on sees the reason.
            _call.Leave();
        }
    }

    public void Dispose()
    {
        // A request of a timer or a heartbeat may be under way on another thread. The first reason decides: after an
        // end nothing is cancelled any more, and after a stop the source is left to the collector.
        if (TrySet(StopReason.Ended))
        {
            _cancel.Dispose();
        }
    }

    private bool TrySet(StopReason reason) =>
        Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) == (int)StopReason.None;
}
