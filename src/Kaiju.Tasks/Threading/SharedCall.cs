namespace Kaiju.Tasks.Threading;

/// <summary>
/// A call that several callers share, one at a time. A caller that joins a pending call waits for its end, whether it
/// succeeds or fails, instead of making its own.
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
                // One source for each waiter, since the offload must decide where they continue. The runtime would run
                // several continuations of one task on threads of its choice.
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
            // Not on the thread of the call, which would be blocked by the work that follows here.
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
