using System.Text.Json.Serialization;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The small part of a task that changes: everything but its definition and its results. Only
/// <see cref="Lifecycle.TaskLifecycle"/> says how it changes; a store keeps it and carries the change out, guarded by
/// what the transition started from.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record ManagedState
{
    private readonly StoredTime _queuedAt;
    private readonly StoredTime _execDeadline;
    private readonly StoredTime _waitDeadline;
    private readonly StoredTime _nextRun;
    private readonly StoredTime _retryAt;
    private readonly StoredTime _occurrence;

    /// <summary>Where the task stands.</summary>
    public TaskState State { get; init; }

    /// <summary>The next stage to run, 0-based; of a FINISHED task the last one.</summary>
    public int Stage { get; init; }

    /// <summary>The current run, one life from the first stage to the end.</summary>
    public required string JobId { get; init; }

    /// <summary>Within the run, one go from stage 0, counted from 0.</summary>
    public int Pass { get; init; }

    /// <summary>
    /// The run whose results and outcome are shown: that of the last queueing. A periodic or chained task changes
    /// <see cref="JobId"/> first and this when it is queued.
    /// </summary>
    public required string ResultRun { get; init; }

    /// <summary>The pass whose results are shown.</summary>
    public int ResultPass { get; init; }

    /// <summary>Retries of this run that have been started.</summary>
    public int Retries { get; init; }

    /// <summary>How often an executor died over this run.</summary>
    public int Interruptions { get; init; }

    /// <summary>When it was queued last.</summary>
    public DateTimeOffset? QueuedAt
    {
        get => _queuedAt.Time;
        init => _queuedAt = new StoredTime(value);
    }

    /// <summary>When an EXECUTED task must have ended or parked itself; set anew at each claim.</summary>
    public DateTimeOffset? ExecDeadline
    {
        get => _execDeadline.Time;
        init => _execDeadline = new StoredTime(value);
    }

    /// <summary>What a WAITING task waits for.</summary>
    public WaitKind Wait { get; init; }

    /// <summary>
    /// When a timer is over, or a message wait ends without one; null for a message wait without a bound.
    /// </summary>
    public DateTimeOffset? WaitDeadline
    {
        get => _waitDeadline.Time;
        init => _waitDeadline = new StoredTime(value);
    }

    /// <summary>When an IDLE task is due; null: only when something starts it.</summary>
    public DateTimeOffset? NextRun
    {
        get => _nextRun.Time;
        init => _nextRun = new StoredTime(value);
    }

    /// <summary>When a FAILED task is tried again; null: the failure is final.</summary>
    public DateTimeOffset? RetryAt
    {
        get => _retryAt.Time;
        init => _retryAt = new StoredTime(value);
    }

    /// <summary>When <see cref="State"/> changed last.</summary>
    public DateTimeOffset StatusChange { get; init; }

    /// <summary>Who holds the claim of an EXECUTED task.</summary>
    public string? ExecutorId { get; init; }

    /// <summary>
    /// The fence: random for each claim, held while the task is EXECUTED, and only its holder may write.
    /// </summary>
    public Guid? Claim { get; init; }

    /// <summary>The last report that was carried out, so that the same report delivered again is known.</summary>
    public ReportId? LastReport { get; init; }

    /// <summary>How the run that is shown ended.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>Why it failed.</summary>
    public TaskError? Error { get; init; }

    /// <summary>
    /// The time that a periodic task's run stands for: when it was due. It never decreases: a run that begins before
    /// the greatest occurrence so far, after a reset or on a clock that was put back, stands for that one.
    /// </summary>
    public DateTimeOffset? Occurrence
    {
        get => _occurrence.Time;
        init => _occurrence = new StoredTime(value);
    }

    /// <summary>
    /// Occurrences that were left out since the task was created: during a run that was still going, or while nobody
    /// could run them.
    /// </summary>
    public long Skipped { get; init; }

    /// <summary>What became of the start of the next task when the run that is shown finished.</summary>
    public ChainResult Chain { get; init; }

    /// <summary>The run has ended: FINISHED, or FAILED for good.</summary>
    public bool HasEnded => State == TaskState.Finished || (State == TaskState.Failed && RetryAt is null);

    /// <summary>
    /// Which go at the task this is within its run, counted from 1; retries raise it, interruptions and suspensions do
    /// not.
    /// </summary>
    public int Attempt => Retries + 1;

    /// <summary>A time or none in a third of the room: every step of a task copies its state.</summary>
    private readonly record struct StoredTime
    {
        // One more than the ticks, so that nothing is none.
        private readonly long _ticks;

        public StoredTime(DateTimeOffset? time) => _ticks = time is { } known ? known.UtcTicks + 1 : 0;

        public DateTimeOffset? Time => _ticks == 0 ? null : new DateTimeOffset(_ticks - 1, TimeSpan.Zero);
    }
}
