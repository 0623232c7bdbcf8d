namespace Kaiju.Tasks.Threading;

/// <summary>
/// Wakes one sleeper. A signal without a sleeper is remembered once, so that no event between two checks is missed.
/// </summary>
internal sealed class WakeSignal(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _set = NewSource();

    public void Set()
    {
        lock (_lock)
        {
            _set.TrySetResult();
        }
    }

    /// <summary>Sleeps until the signal is set, at most <paramref name="timeout"/>.</summary>
    /// <returns>True if the signal was set; false if the timeout expired.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Task set;
        lock (_lock)
        {
            set = _set.Task;
        }

        await set.WaitAsync(timeout, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_set.Task.IsCompleted)
            {
                return false;
            }

            _set = NewSource();
            return true;
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
