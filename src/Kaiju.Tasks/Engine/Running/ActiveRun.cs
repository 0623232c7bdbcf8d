using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// A claimed task while this process runs it. Its <see cref="RunLoop"/> moves it; others look at it or stop it.
/// </summary>
internal sealed class ActiveRun
{
    private static readonly TaskCompletionSource _completed = NewCompleted();

    private readonly RunClock _clock;
    private volatile Moment? _heldAt;
    private TaskCompletionSource? _completion;

    /// <summary>Creates a run that has not begun.</summary>
    /// <param name="data">The task.</param>
    /// <param name="clock">When the run begins and must have ended.</param>
    /// <param name="call">Who has the run's thread.</param>
    /// <param name="stop">What stops it.</param>
    public ActiveRun(RunData data, RunClock clock, HandlerCall call, StopSource stop) =>
        (Data, _clock, Call, Stop) = (data, clock, call, stop);

    public RunData Data { get; }

    public HandlerCall Call { get; }

    public StopSource Stop { get; }

    public ExecutorTask Task => Data.Task;

    public HeldClaim Claim => new(Task.Id, Task.Claim);

    /// <summary>When it was claimed, as a timestamp of the clock.</summary>
    public long Began => _clock.Began;

    /// <summary>When it must have ended, as a timestamp of the clock.</summary>
    public long Deadline => _clock.Deadline;

    /// <summary>The beginning of the last ping that named the claim.</summary>
    public Moment? HeldAt
    {
        get => _heldAt;
        set => _heldAt = value;
    }

    /// <summary>When the stage that runs began, as a timestamp of the clock.</summary>
    public long StageStarted { get; set; }

    /// <summary>The method of that stage; filled, once it is.</summary>
    public string Method { get; set; } = "";

    /// <summary>The limit of that stage's call; null for none.</summary>
    public TimeSpan? StageTimeout { get; set; }

    /// <summary>Completes when the run has ended, and with it every handler that it called.</summary>
    public Task Completion =>
        LazyInitializer.EnsureInitialized(ref _completion, static () => new TaskCompletionSource()).Task;

    /// <summary>Ends the run, as the last thing that happens to it.</summary>
    public void Complete() => Interlocked.CompareExchange(ref _completion, _completed, null)?.SetResult();

    // Shared by the many runs that end before anything waits for them.
    private static TaskCompletionSource NewCompleted()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
