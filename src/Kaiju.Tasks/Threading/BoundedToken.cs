namespace Kaiju.Tasks.Threading;

/// <summary>
/// A token that is cancelled with another one, or when its time is over; and waits that end then even if nobody listens
/// to it.
/// </summary>
internal sealed class BoundedToken : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationToken _other;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public BoundedToken(TimeSpan timeout, TimeProvider clock, CancellationToken other)
    {
        (_timeout, _other) = (timeout, other);
        _timer = new CancellationTokenSource(timeout, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, other);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>
    /// Waits for an answer, whether or not what is under way listens to the token; at most until the time is over.
    /// </summary>
    /// <param name="answer">What is under way, with <see cref="Token"/>.</param>
    /// <param name="what">What it is, for the message.</param>
    /// <exception cref="TimeoutException">The time is over.</exception>
    /// <exception cref="OperationCanceledException">The other token is cancelled.</exception>
    public async Task<T> WaitAsync<T>(ValueTask<T> answer, string what)
    {
        try
        {
            // Not the other token: what is under way has heard of it, and its end is waited for. A ping that came after
            // an executor's end would make it known again.
            return await answer.AsTask().WaitAsync(_timer.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (_timer.IsCancellationRequested && !_other.IsCancellationRequested)
        {
            throw new TimeoutException($"The store did not answer {what} within {_timeout}.", e);
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
