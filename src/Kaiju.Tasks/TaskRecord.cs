using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A snapshot of a stored task: its definition, its state, and the results of the run that was queued last.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskRecord
{
    /// <summary>The definition with all defaults filled in.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>The state. Clients never see its claim: only the executor that holds the claim may know it.</summary>
    public required ManagedState Managed { get; init; }

    /// <summary>The time at which the task was created, by the store's clock.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>
    /// The number of updates of the definition. An update that is based on an older revision is refused.
    /// </summary>
    public int Revision { get; init; }

    /// <summary>
    /// The newest definition, if its commands, kws and app wait for the next run (<see cref="OnConflict.Update"/>);
    /// until then runs and retries use those of <see cref="Definition"/>. Null if none waits.
    /// </summary>
    public TaskDefinition? Waiting { get; init; }

    /// <summary>
    /// The version of the newest definition, waiting or not (<see cref="CreateOptions.Version"/>); null if it has none.
    /// </summary>
    public long? Version { get; init; }

    /// <summary>The results of the stages, in order, from the run that was queued last and its last pass.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>
    /// True if the record was read from JSON of the Python original, which lacks some members of the state.
    /// </summary>
    internal bool IsForeign { get; init; }

    /// <summary>The task's id.</summary>
    public string Id => Definition.Id!;

    /// <summary>The task's state.</summary>
    public TaskState State => Managed.State;

    /// <summary>The next stage to run, from 0. For a FINISHED task: the last stage.</summary>
    public int Stage => Managed.Stage;

    /// <summary>The number of stages.</summary>
    public int Stages => Definition.Commands.Count;

    /// <summary>The id of the current run.</summary>
    public string JobId => Managed.JobId;

    /// <summary>
    /// The retries of the current run that have begun and count against <see cref="TaskDefinition.MaxRetries"/>.
    /// </summary>
    public int Retries => Managed.Retries;

    /// <summary>The attempt at the current run, from 1.</summary>
    public int Attempt => Managed.Attempt;

    /// <summary>
    /// The number of times that stages of the current run were snoozed (<see cref="StageOutcome.Snooze"/>).
    /// </summary>
    public int Snoozes => Managed.Snoozes;

    /// <summary>The time at which the task was last queued; null if it never was.</summary>
    public DateTimeOffset? QueuedAt => Managed.QueuedAt;

    /// <summary>The time by which an EXECUTED task must have ended or begun to wait.</summary>
    public DateTimeOffset? ExecDeadline => Managed.ExecDeadline;

    /// <summary>The kind of wait of a WAITING task.</summary>
    public WaitKind Wait => Managed.Wait;

    /// <summary>
    /// The end of a timer or a snooze, or the time at which a message wait fails; null for a message wait without a
    /// limit.
    /// </summary>
    public DateTimeOffset? WaitDeadline => Managed.WaitDeadline;

    /// <summary>The time at which an IDLE task is due; null if only a chain or a reset starts it.</summary>
    public DateTimeOffset? NextRun => Managed.NextRun;

    /// <summary>The time at which a FAILED task is retried; null if the failure is final.</summary>
    public DateTimeOffset? RetryAt => Managed.RetryAt;

    /// <summary>True if the run has ended: FINISHED, or FAILED without a retry to come.</summary>
    public bool HasEnded => Managed.HasEnded;

    /// <summary>The time at which <see cref="State"/> last changed.</summary>
    public DateTimeOffset StatusChange => Managed.StatusChange;

    /// <summary>The executor that runs the task now; null if it is not EXECUTED.</summary>
    public string? ExecutorId => Managed.ExecutorId;

    /// <summary>
    /// For a periodic task: the latest occurrence that ran or was cancelled. It never decreases.
    /// </summary>
    public DateTimeOffset? Occurrence => Managed.Occurrence;

    /// <summary>For a periodic task: the number of occurrences that were skipped since its creation.</summary>
    public long Skipped => Managed.Skipped;

    /// <summary>Whether the follow-up task was started when this run finished.</summary>
    public ChainResult Chain => Managed.Chain;

    /// <summary>The exit code of the run that was queued last; null until it has ended.</summary>
    public TaskExitCode? ExitCode => Managed.ExitCode;

    /// <summary>The error of the run that was queued last; null if it has not failed.</summary>
    public TaskError? Error => Managed.Error;

    /// <summary>
    /// Reads a task in the form in which the Python original stores it, with results and state. Missing members get
    /// their defaults. Unknown members are ignored.
    /// </summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">
    /// The JSON is not a stored task; the message names every invalid member.
    /// </exception>
    public static TaskRecord FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return RecordJson.ReadTask(WireText.Parse(json));
    }

    /// <summary>The id, the state and the number of results, without the results themselves.</summary>
    public override string ToString() =>
        $"Task \"{Id}\": {State} at stage {Stage} of {Stages} (run {JobId}, {Result.Count} results)";

    /// <summary>Writes the task in the form that <see cref="FromJson"/> reads.</summary>
    public string ToJson() => WireText.Write(this, RecordJson.WriteTask);
}

/// <summary>The outcome of a run that has ended. It is kept when the task begins its next run.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskRun
{
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The run's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The state, <see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>.</summary>
    public required TaskState State { get; init; }

    /// <summary>The exit code.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>The error; null if the run finished.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The results of the run's last pass, in the order of the stages.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>The number of retries that the run took.</summary>
    public int Retries { get; init; }

    /// <summary>For a periodic task: the occurrence that the run was for.</summary>
    public DateTimeOffset? Occurrence { get; init; }

    /// <summary>Whether the follow-up task was started when this run finished.</summary>
    public ChainResult Chain { get; init; }

    /// <summary>The time at which the run was last queued; null if it never was.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>The time at which the run ended, by the store's clock.</summary>
    public required DateTimeOffset Ended { get; init; }

    private JsonSerializerOptions Serializing { get; set; } = WireText.DefaultOptions;

    /// <summary>Throws if the run failed.</summary>
    /// <returns>This run.</returns>
    /// <exception cref="TaskRunFailedException">The run failed; the exception has its error.</exception>
    public TaskRun EnsureSucceeded() => State == TaskState.Finished ? this : throw new TaskRunFailedException(this);

    /// <summary>Reads the result of the last stage that has one.</summary>
    /// <typeparam name="T">The result's type, read with <see cref="KaijuTasksOptions.SerializerOptions"/>.</typeparam>
    /// <exception cref="InvalidOperationException">The run has no results: its first stage failed.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>() => GetResult<T>(LastStage);

    /// <summary>Reads the result of a stage.</summary>
    /// <typeparam name="T">The result's type, read with <see cref="KaijuTasksOptions.SerializerOptions"/>.</typeparam>
    /// <param name="stage">The stage, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>(int stage) => TypedJson.Read<T>(TypedJson.ResultOf(Result, stage), Serializing);

    /// <summary>Reads the result of the last stage that has one, for trimmed and AOT-compiled apps.</summary>
    /// <typeparam name="T">The result's type.</typeparam>
    /// <param name="typeInfo">The JSON contract of the result's type.</param>
    /// <exception cref="InvalidOperationException">The run has no results: its first stage failed.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    public T? GetResult<T>(JsonTypeInfo<T> typeInfo) => GetResult(LastStage, typeInfo);

    /// <summary>Reads the result of a stage, for trimmed and AOT-compiled apps.</summary>
    /// <typeparam name="T">The result's type.</typeparam>
    /// <param name="stage">The stage, from 0.</param>
    /// <param name="typeInfo">The JSON contract of the result's type.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    public T? GetResult<T>(int stage, JsonTypeInfo<T> typeInfo) =>
        TypedJson.ResultOf(Result, stage).Deserialize(typeInfo);

    /// <summary>Makes the outcome of a task's current run, which must have ended; for stores.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="state">The task's state.</param>
    /// <param name="results">The results of the run's last pass.</param>
    public static TaskRun Of(string taskId, ManagedState state, IReadOnlyList<JsonElement> results)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new TaskRun
        {
            TaskId = taskId,
            JobId = state.JobId,
            State = state.State,
            ExitCode = state.ExitCode,
            Error = state.Error,
            Result = results,
            Retries = state.Attempt - 1,
            Occurrence = state.Occurrence,
            Chain = state.Chain,
            QueuedAt = state.QueuedAt,
            Ended = state.StatusChange,
        };
    }

    /// <summary>Returns the run with other options for reading its results.</summary>
    internal TaskRun ReadWith(JsonSerializerOptions options)
    {
        var copy = (TaskRun)MemberwiseClone();
        copy.Serializing = options;
        return copy;
    }

    private int LastStage => Result.Count > 0 ? Result.Count - 1 : throw new InvalidOperationException(
        $"The run {JobId} of task \"{TaskId}\" has no results: its first stage failed.");
}
