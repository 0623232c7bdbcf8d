namespace Kaiju.Tasks.Threading;

/// <summary>
/// How long a loop pauses after a turn that was due and moved nothing, because another transaction holds the row: 5 ms,
/// doubling up to one second, until a turn moves something. A signal ends a pause early, but not its first 20 ms, so
/// that a stream of hints about other work is not a busy loop.
/// </summary>
internal sealed class Backoff(TimeProvider clock)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _certain = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _most = TimeSpan.FromSeconds(1);
    private TimeSpan _next = _first;

    public void Reset() => _next = _first;

    /// <summary>Pauses.</summary>
    /// <param name="most">The upper limit of this pause.</param>
    /// <param name="sleep">Sleeps for a time, or until a signal.</param>
    /// <param name="cancellationToken">Cancels the pause.</param>
    public async Task WaitAsync(TimeSpan most, Func<TimeSpan, Task> sleep, CancellationToken cancellationToken)
    {
        var pause = _next < most ? _next : most;
        _next = _next * 2 < _most ? _next * 2 : _most;
        var certain = pause < _certain ? pause : _certain;
        await Task.Delay(certain, clock, cancellationToken).ConfigureAwait(false);
        if (pause > certain)
        {
            await sleep(pause - certain).ConfigureAwait(false);
        }
    }
}
