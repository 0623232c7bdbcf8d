namespace Kaiju.Tasks.Threading;

/// <summary>
/// One call at a time of something that serves all who ask: who asks while it is under way waits for its end instead,
/// whatever that is.
/// </summary>
internal sealed class SharedCall(Func<Task> call, Offload offload)
{
    private readonly Lock _lock = new();
    private List<TaskCompletionSource>? _waiters;

    public async Task JoinAsync()
    {
        TaskCompletionSource? end = null;
        lock (_lock)
        {
            if (_waiters is null)
            {
                _waiters = [];
            }
            else
            {
                // One each: the runtime takes a task with several continuations to other threads, and these are to go
                // where the offload says.
                end = new TaskCompletionSource();
                _waiters.Add(end);
            }
        }

        if (end is null)
        {
            await CallAsync().ConfigureAwait(false);
        }
        else
        {
            // Not on the caller's thread, which would wait for all that follows here.
            await end.Task.ConfigureAwait(false);
            await offload.YieldAsync().ConfigureAwait(false);
        }
    }

    private async Task CallAsync()
    {
        try
        {
            await call().ConfigureAwait(false);
        }
        finally
        {
            List<TaskCompletionSource> waiters;
            lock (_lock)
            {
                (waiters, _waiters) = (_waiters!, null);
            }

            waiters.ForEach(waiter => waiter.SetResult());
        }
    }
}
