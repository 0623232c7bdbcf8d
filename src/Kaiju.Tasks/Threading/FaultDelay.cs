namespace Kaiju.Tasks.Threading;

/// <summary>
/// How long a loop pauses when it meets faults: a tenth of a second, doubling up to a bound; the first success ends it.
/// </summary>
internal sealed class FaultDelay(TimeProvider clock, TimeSpan most)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(100);
    private TimeSpan _next = _first;

    /// <summary>The pause that comes next.</summary>
    public TimeSpan Next => _next < most ? _next : most;

    public void Reset() => _next = _first;

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var delay = Next;
        _next = delay * 2;
        return Task.Delay(delay, clock, cancellationToken);
    }
}
