namespace Kaiju.Tasks.Threading;

/// <summary>The pause of a loop after a failure: 100 ms, doubling up to a limit until the first success.</summary>
internal sealed class FaultDelay(TimeProvider clock, TimeSpan most)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(100);
    private TimeSpan _next = _first;

    /// <summary>The length of the next pause.</summary>
    public TimeSpan Next => _next < most ? _next : most;

    public void Reset() => _next = _first;

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var delay = Next;
        _next = delay * 2;
        return Task.Delay(delay, clock, cancellationToken);
    }
}
