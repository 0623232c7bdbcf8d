using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// A claimed task that this process is running. Only its <see cref="RunLoop"/> advances it; other classes read or stop
/// it.
/// </summary>
internal sealed class ActiveRun
{
    private static readonly TaskCompletionSource _completed = NewCompleted();

    private readonly RunClock _clock;
    private volatile Moment? _heldAt;
    private TaskCompletionSource? _completion;

    /// <summary>Creates a run that has not begun.</summary>
    /// <param name="data">The task and its results so far.</param>
    /// <param name="clock">The run's start and deadline.</param>
    /// <param name="call">The owner of the run's thread.</param>
    /// <param name="stop">The source of requests to stop.</param>
    public ActiveRun(RunData data, RunClock clock, HandlerCall call, StopSource stop) =>
        (Data, _clock, Call, Stop) = (data, clock, call, stop);

    public RunData Data { get; }

    public HandlerCall Call { get; }

    public StopSource Stop { get; }

    public ExecutorTask Task => Data.Task;

    public HeldClaim Claim => new(Task.Id, Task.Claim);

    /// <summary>The time of the claim, as a timestamp of the clock.</summary>
    public long Began => _clock.Began;

    /// <summary>The deadline, as a timestamp of the clock.</summary>
    public long Deadline => _clock.Deadline;

    /// <summary>The start of the last ping that named the claim; null before the first.</summary>
    public Moment? HeldAt
    {
        get => _heldAt;
        set => _heldAt = value;
    }

    /// <summary>The start of the current stage, as a timestamp of the clock.</summary>
    public long StageStarted { get; set; }

    /// <summary>The method of the current stage; its templates are filled before the handler is called.</summary>
    public string Method { get; set; } = "";

    /// <summary>The timeout of the current stage; null without one.</summary>
    public TimeSpan? StageTimeout { get; set; }

    /// <summary>Completes when the run and every handler that it called have ended.</summary>
    public Task Completion =>
        LazyInitializer.EnsureInitialized(ref _completion, static () => new TaskCompletionSource()).Task;

    /// <summary>Completes <see cref="Completion"/>; the last step of a run.</summary>
    public void Complete() => Interlocked.CompareExchange(ref _completion, _completed, null)?.SetResult();

    // Shared by all runs that end before their completion is awaited.
    private static TaskCompletionSource NewCompleted()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
