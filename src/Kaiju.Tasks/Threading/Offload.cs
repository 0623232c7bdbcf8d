namespace Kaiju.Tasks.Threading;

/// <summary>
/// Where work goes that must not keep its caller: to the thread pool. A simulation puts it on its one thread instead.
/// </summary>
internal class Offload
{
    /// <summary>Begins work soon, elsewhere, and without the caller's execution context.</summary>
    public virtual void Start(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    /// <summary>Goes on when the work that waits already has begun, at once if there is none.</summary>
    public virtual Task YieldAsync()
    {
        // Not Task.Yield, which goes on in the context that a caller, or a handler on this thread, may have left
        // behind.
        var turn = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }

    /// <summary>
    /// Cancels without running on this thread what was registered with the token: that is users' code, the caller may
    /// be a timer's thread or hold a lock, and what users' code throws there would end the process.
    /// </summary>
    public virtual void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();
}
