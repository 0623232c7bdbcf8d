namespace Kaiju.Tasks.Engine;

/// <summary>Where work goes that must not keep its caller: to the thread pool. A simulation puts it on its one thread instead.</summary>
internal class Offload
{
    public virtual Task<T> Run<T>(Func<Task<T>> work) => Task.Run(work, CancellationToken.None);

    public virtual Task Run(Func<Task> work) => Task.Run(work, CancellationToken.None);

    /// <summary>
    /// Cancels without running on this thread what was registered with the token: that is users' code, the caller may be a timer's
    /// thread or hold a lock, and what users' code throws there would end the process.
    /// </summary>
    public virtual void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();
}
