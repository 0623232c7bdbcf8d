namespace Kaiju.Tasks.Threading;

/// <summary>
/// The pause of a loop after a turn that was due but moved no task, because another transaction holds its row. It
/// begins at 5 ms and doubles up to one second. A signal ends a pause early, but not its first 20 ms, so that many
/// hints about other work do not cause a busy loop.
/// </summary>
internal sealed class Backoff(TimeProvider clock)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _certain = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _most = TimeSpan.FromSeconds(1);
    private TimeSpan _next = _first;

    public void Reset() => _next = _first;

    /// <summary>Pauses the loop. The next pause is twice as long.</summary>
    /// <param name="most">The longest pause.</param>
    /// <param name="sleep">The sleep for a time or until a signal.</param>
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
