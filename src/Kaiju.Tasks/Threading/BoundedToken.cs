namespace Kaiju.Tasks.Threading;

/// <summary>
/// A token that is cancelled with another one or after a timeout. Its waits end after the timeout even if the awaited
/// call ignores the token.
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
    /// Waits for the answer of a call, at most until the timeout, even if the call ignores the token.
    /// </summary>
    /// <param name="answer">The pending call, which uses <see cref="Token"/>.</param>
    /// <param name="what">The name of the call, for the message.</param>
    /// <exception cref="TimeoutException">The timeout has expired.</exception>
    /// <exception cref="OperationCanceledException">The other token was cancelled.</exception>
    public async Task<T> WaitAsync<T>(ValueTask<T> answer, string what)
    {
        try
        {
            // Not the other token: the call observes it, and its end is awaited. A ping after an executor's end would
            // register the executor again.
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
