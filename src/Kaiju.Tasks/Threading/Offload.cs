namespace Kaiju.Tasks.Threading;

/// <summary>
/// Moves work that must not block its caller to the thread pool. A simulation runs it on its only thread instead.
/// </summary>
internal class Offload
{
    /// <summary>Starts work soon, on another thread and without the caller's execution context.</summary>
    public virtual void Start(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    /// <summary>Completes when the work that is already waiting has begun; at once if none is.</summary>
    public virtual Task YieldAsync()
    {
        // Not Task.Yield, which would resume in a context that a caller or a handler left on this thread.
        var turn = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }

    /// <summary>
    /// Cancels a token without running its callbacks on this thread. Callbacks are users' code: the caller may hold a
    /// lock, and on a timer's thread an exception would end the process.
    /// </summary>
    public virtual void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();
}
