using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Decides which thread continues a run after its handler was called on the run's own thread. That thread continues
/// the run, unless a stop finds it still in the handler; then a successor does. One compare-and-swap on one field
/// decides, so two threads never continue the same run. See docs/decisions/0007.
/// <code>
///          Begin(n)                 TryEnd: true
///   Free ───────────► stage n calls ─────────────► Free    this thread continues the run
///                          │
///                          │ Leave(n): the run must stop, or the time of stage n is over
///                          ▼
///                         Left                             the successor continues the run;
///                                                          TryEnd: false, and this thread leaves the run
/// </code>
/// </summary>
/// <param name="offload">The thread pool that runs the successor.</param>
/// <param name="successor">The work that continues the run in place of its thread.</param>
internal sealed class HandlerCall(Offload offload, IThreadPoolWorkItem successor)
{
    // Every other value is the number of the stage whose handler has the thread.
    private const int Free = -1;
    private const int Left = -2;

    private TaskCompletionSource? _givenBack;
    private int _state = Free;

    /// <summary>The last stage whose handler was called.</summary>
    public int Stage { get; private set; }

    /// <summary>True once the successor has taken the run from a thread that its handler keeps.</summary>
    public bool IsLeft => Volatile.Read(ref _state) == Left;

    /// <summary>
    /// The pending work of a handler that did not end at the stop. The run's slot stays taken until it completes.
    /// </summary>
    public Task Leftover { get; set; } = Task.CompletedTask;

    /// <summary>
    /// Marks the thread as in use by the handler. A full fence: the caller's later reads are not older.
    /// </summary>
    public void Begin(int stage)
    {
        Stage = stage;
        Interlocked.Exchange(ref _state, stage);
    }

    /// <summary>Takes the thread back for the run.</summary>
    /// <param name="work">The handler's pending work; the default if the handler was not called.</param>
    /// <returns>False if the successor has taken the run; the successor then waits for the work.</returns>
    public bool TryEnd(ValueTask<StageOutcome> work = default)
    {
        if (Interlocked.CompareExchange(ref _state, Free, Stage) != Left)
        {
            return true;
        }

        _ = GiveBackAfterAsync(work.AsTask());
        return false;
    }

    /// <summary>Starts the successor if a handler has the run's thread.</summary>
    public void Leave() => Leave(Volatile.Read(ref _state));

    /// <summary>
    /// Starts the successor if the handler of this stage has the run's thread. Other stages are not affected: a stage's
    /// timer may fire while its stage ends and the next one begins.
    /// </summary>
    public void Leave(int stage)
    {
        if (stage >= 0 && Interlocked.CompareExchange(ref _state, Left, stage) == stage)
        {
            Leftover = GetGivenBack().Task;
            offload.Start(successor);
        }
    }

    private async Task GiveBackAfterAsync(Task work)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        GetGivenBack().TrySetResult();
    }

    // The leaving thread and the handler's thread may call this at the same time.
    private TaskCompletionSource GetGivenBack() => LazyInitializer.EnsureInitialized(
        ref _givenBack, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
