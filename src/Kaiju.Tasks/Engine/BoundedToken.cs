namespace Kaiju.Tasks.Engine;

/// <summary>A token that is cancelled with another one, or when its time is over.</summary>
internal sealed class BoundedToken : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    public BoundedToken(TimeSpan timeout, TimeProvider clock, CancellationToken other)
    {
        _timeout = new CancellationTokenSource(timeout, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, other);
    }

    public CancellationToken Token => _either.Token;

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
