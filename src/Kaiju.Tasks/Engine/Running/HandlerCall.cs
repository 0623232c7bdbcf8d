using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Which thread continues a run whose handler is called on the run's own thread: that thread, or a successor if a stop
/// finds the handler still there. One compare-and-swap on one field decides, so it is never both. See
/// docs/decisions/0007.
/// <code>
///          Begin(n)                 TryEnd: true
///   Free ───────────► stage n calls ─────────────► Free    this thread continues the run
///                          │
///                          │ Leave(n): the run must stop, or the time of stage n is over
///                          ▼
///                         Left                             the successor continues the run;
///                                                          TryEnd: false, and this thread lets go of it
/// </code>
/// </summary>
/// <param name="offload">Begins the successor.</param>
/// <param name="successor">The work that continues the run in place of its thread.</param>
internal sealed class HandlerCall(Offload offload, IThreadPoolWorkItem successor)
{
    // Beside these two states: the number of the stage whose handler has the thread.
    private const int Free = -1;
    private const int Left = -2;

    private TaskCompletionSource? _givenBack;
    private int _state = Free;

    /// <summary>The stage whose handler was called last.</summary>
    public int Stage { get; private set; }

    /// <summary>True once the run has been taken from the thread that its handler keeps.</summary>
    public bool IsLeft => Volatile.Read(ref _state) == Left;

    /// <summary>
    /// What a handler still does that did not end when it was told to. Its slot is free only after it.
    /// </summary>
    public Task Leftover { get; set; } = Task.CompletedTask;

    /// <summary>
    /// Marks the thread as the handler's. A full fence: what the caller reads afterwards is not older.
    /// </summary>
    public void Begin(int stage)
    {
        Stage = stage;
        Interlocked.Exchange(ref _state, stage);
    }

    /// <summary>Takes the thread back for the run.</summary>
    /// <param name="work">What the handler still does; the default if it was not called.</param>
    /// <returns>False if the successor has the run; then the work is waited for there.</returns>
    public bool TryEnd(ValueTask<StageOutcome> work = default)
    {
        if (Interlocked.CompareExchange(ref _state, Free, Stage) != Left)
        {
            return true;
        }

        _ = GiveBackAfterAsync(work.AsTask());
        return false;
    }

    /// <summary>Continues the run elsewhere if any stage's handler has its thread.</summary>
    public void Leave() => Leave(Volatile.Read(ref _state));

    /// <summary>
    /// Continues the run elsewhere if the handler of this stage has its thread. The call of another stage is left
    /// alone: a stage's timer may fire while its stage ends and the next one begins.
    /// </summary>
    public void Leave(int stage)
    {
        if (stage >= 0 && Interlocked.CompareExchange(ref _state, Left, stage) == stage)
        {
            Leftover = GivenBack().Task;
            offload.Start(successor);
        }
    }

    private async Task GiveBackAfterAsync(Task work)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        GivenBack().TrySetResult();
    }

    // The thread that leaves and the thread that is left may come here at the same time.
    private TaskCompletionSource GivenBack() => LazyInitializer.EnsureInitialized(
        ref _givenBack, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
