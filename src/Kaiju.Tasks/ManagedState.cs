using System.Text.Json.Serialization;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The state of a task: everything but its definition and its results. Only <see cref="Lifecycle.TaskLifecycle"/>
/// decides how it changes. A store applies a change only if the task still has the state from which it was computed.
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

    // Small, as they are stored: every step of a task copies its state.
    private readonly short _hold;
    private readonly short _putBacks;
    private readonly RareState? _rare;

    /// <summary>The task's state.</summary>
    public TaskState State { get; init; }

    /// <summary>The next stage to run, from 0. For a FINISHED task: the last stage.</summary>
    public int Stage { get; init; }

    /// <summary>The id of the current run: one life of the task from its first stage to its end.</summary>
    public required string JobId { get; init; }

    /// <summary>The pass within the run, from 0: raised by each retry that begins at the first stage.</summary>
    public int Pass { get; init; }

    /// <summary>
    /// The run whose results and outcome the record shows: the run that was queued last. Until a periodic or chained
    /// task is queued again, it differs from <see cref="JobId"/>.
    /// </summary>
    public required string ResultRun { get; init; }

    /// <summary>The pass whose results the record shows.</summary>
    public int ResultPass { get; init; }

    /// <summary>
    /// The retries of this run that the task's budget has paid for: what is used of
    /// <see cref="TaskDefinition.MaxRetries"/>.
    /// </summary>
    public int Retries { get; init; }

    /// <summary>
    /// The retries of this run that do not count against the task's budget: those that the budget of a stage has paid
    /// for, and those before the budget was renewed.
    /// </summary>
    public int FreeRetries
    {
        get => Rare.FreeRetries;
        init => _rare = value == FreeRetries ? _rare : (Rare with { FreeRetries = value }).OrNull;
    }

    /// <summary>
    /// The retries of the present stage that have begun in the present pass, whichever budget has paid for them.
    /// </summary>
    public int StageRetries
    {
        get => Rare.StageRetries;
        init => _rare = value == StageRetries ? _rare : (Rare with { StageRetries = value }).OrNull;
    }

    /// <summary>The number of times that stages of this run were snoozed.</summary>
    public int Snoozes
    {
        get => Rare.Snoozes;
        init => _rare = value == Snoozes ? _rare : (Rare with { Snoozes = value }).OrNull;
    }

    /// <summary>The number of executors that died while they ran this run.</summary>
    public int Interruptions { get; init; }

    /// <summary>
    /// The reason for which a QUEUED task is not in the common queue of its app. <see cref="TaskHold.None"/> in other
    /// states.
    /// </summary>
    public TaskHold Hold
    {
        get => (TaskHold)_hold;
        init => _hold = (short)value;
    }

    /// <summary>
    /// The method of the stage for which the task was queued last. For a method that is a template: its last filled
    /// value at this stage; null before an executor has filled it, or if the task was never queued.
    /// </summary>
    public string? Method { get; init; }

    /// <summary>
    /// The number of times that executors have put the task back at its present stage, each time under another method
    /// that they do not know.
    /// </summary>
    public int PutBacks
    {
        get => _putBacks;
        init => _putBacks = (short)value;
    }

    /// <summary>The time at which the task was last queued; null if it never was.</summary>
    public DateTimeOffset? QueuedAt
    {
        get => _queuedAt.Time;
        init => _queuedAt = new StoredTime(value);
    }

    /// <summary>
    /// The time by which an EXECUTED task must have ended or begun to wait. Each claim sets it anew.
    /// </summary>
    public DateTimeOffset? ExecDeadline
    {
        get => _execDeadline.Time;
        init => _execDeadline = new StoredTime(value);
    }

    /// <summary>The kind of wait of a WAITING task.</summary>
    public WaitKind Wait { get; init; }

    /// <summary>
    /// The end of a timer or a snooze, or the time at which a message wait fails; null for a message wait without a
    /// limit.
    /// </summary>
    public DateTimeOffset? WaitDeadline
    {
        get => _waitDeadline.Time;
        init => _waitDeadline = new StoredTime(value);
    }

    /// <summary>The time at which an IDLE task is due; null if only a chain or a reset starts it.</summary>
    public DateTimeOffset? NextRun
    {
        get => _nextRun.Time;
        init => _nextRun = new StoredTime(value);
    }

    /// <summary>The time at which a FAILED task is retried; null if the failure is final.</summary>
    public DateTimeOffset? RetryAt
    {
        get => _retryAt.Time;
        init => _retryAt = new StoredTime(value);
    }

    /// <summary>The time at which <see cref="State"/> last changed.</summary>
    public DateTimeOffset StatusChange { get; init; }

    /// <summary>The executor that holds the claim of an EXECUTED task; null in other states.</summary>
    public string? ExecutorId { get; init; }

    /// <summary>
    /// The claim of an EXECUTED task: a random id, new for each claim. Only its holder may write. Null in other states.
    /// </summary>
    public Guid? Claim { get; init; }

    /// <summary>The last report that was recorded, so that a second delivery of it is recognised.</summary>
    public ReportId? LastReport { get; init; }

    /// <summary>The exit code of the run that the record shows; null until it has ended.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>The error of the run that the record shows; null if it has not failed.</summary>
    public TaskError? Error { get; init; }

    /// <summary>
    /// The occurrence of a periodic task's run: the time at which it was due. It never decreases. A run that begins
    /// before the latest occurrence (after a reset, or on a clock that was put back) repeats that occurrence.
    /// </summary>
    public DateTimeOffset? Occurrence
    {
        get => _occurrence.Time;
        init => _occurrence = new StoredTime(value);
    }

    /// <summary>
    /// The number of occurrences that were skipped since the task was created: during a run that had not ended, or
    /// while no manager was running.
    /// </summary>
    public long Skipped { get; init; }

    /// <summary>
    /// The changes that retries by hand have made for the run that the record shows; null if there are none.
    /// </summary>
    public RunChanges? Changes
    {
        get => Rare.Changes;
        init => _rare = Equals(value, Changes) ? _rare : (Rare with { Changes = value }).OrNull;
    }

    /// <summary>Whether the follow-up task was started when the run that the record shows finished.</summary>
    public ChainResult Chain { get; init; }

    /// <summary>True if the run has ended: FINISHED, or FAILED without a retry to come.</summary>
    public bool HasEnded => State == TaskState.Finished || (State == TaskState.Failed && RetryAt is null);

    /// <summary>
    /// The attempt at the run, from 1: raised by each retry, not by interruptions or suspensions, and never reset.
    /// </summary>
    public int Attempt => Retries + FreeRetries + 1;

    private RareState Rare => _rare ?? RareState.None;

    /// <summary>
    /// Members that nearly every run leaves at their defaults; null instead of <see cref="None"/>. They share a
    /// reference, since every step of a task copies its state.
    /// </summary>
    private sealed record RareState(int FreeRetries, int StageRetries, int Snoozes, RunChanges? Changes)
    {
        public static RareState None { get; } = new(0, 0, 0, null);

        public RareState? OrNull => this == None ? null : this;
    }

    /// <summary>An optional time in a third of the memory: every step of a task copies its state.</summary>
    private readonly record struct StoredTime
    {
        // The ticks plus one, so that the default value 0 means null.
        private readonly long _ticks;

        public StoredTime(DateTimeOffset? time) => _ticks = time is { } known ? known.UtcTicks + 1 : 0;

        public DateTimeOffset? Time => _ticks == 0 ? null : new DateTimeOffset(_ticks - 1, TimeSpan.Zero);
    }
}
