using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// What is stored of a task: its definition, its managed state, and the results of the run that is shown. A snapshot.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskRecord
{
    /// <summary>What was asked for, complete: with its id, its app and its timeout.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>What changes. Its claim is the executor's alone and not shown.</summary>
    public required ManagedState Managed { get; init; }

    /// <summary>When the task was created.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>How often the definition was updated; an update of an older one is refused.</summary>
    public int Revision { get; init; }

    /// <summary>The results of the stages, in order, of the run and pass that were queued last.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>
    /// Read from JSON that this library did not write: it lacks what the Python original does not keep.
    /// </summary>
    internal bool IsForeign { get; init; }

    /// <summary>The task's id.</summary>
    public string Id => Definition.Id!;

    /// <summary>Where the task stands.</summary>
    public TaskState State => Managed.State;

    /// <summary>The next stage to run, 0-based; of a FINISHED task the last one.</summary>
    public int Stage => Managed.Stage;

    /// <summary>How many stages there are.</summary>
    public int Stages => Definition.Commands.Count;

    /// <summary>The current run.</summary>
    public string JobId => Managed.JobId;

    /// <summary>Retries of the current run that have been started.</summary>
    public int Retries => Managed.Retries;

    /// <summary>When it was queued last.</summary>
    public DateTimeOffset? QueuedAt => Managed.QueuedAt;

    /// <summary>When an EXECUTED task must have ended or parked itself.</summary>
    public DateTimeOffset? ExecDeadline => Managed.ExecDeadline;

    /// <summary>What a WAITING task waits for.</summary>
    public WaitKind Wait => Managed.Wait;

    /// <summary>When a wait is over.</summary>
    public DateTimeOffset? WaitDeadline => Managed.WaitDeadline;

    /// <summary>When an IDLE task is due; null: only when something starts it.</summary>
    public DateTimeOffset? NextRun => Managed.NextRun;

    /// <summary>When a FAILED task is tried again; null: the failure is final.</summary>
    public DateTimeOffset? RetryAt => Managed.RetryAt;

    /// <summary>The run has ended: FINISHED, or FAILED for good.</summary>
    public bool HasEnded => Managed.HasEnded;

    /// <summary>When <see cref="State"/> changed last.</summary>
    public DateTimeOffset StatusChange => Managed.StatusChange;

    /// <summary>Who runs it now.</summary>
    public string? ExecutorId => Managed.ExecutorId;

    /// <summary>
    /// Of a periodic task: the time that its last run stands for. The greatest so far, cancelled ones included; it
    /// never decreases.
    /// </summary>
    public DateTimeOffset? Occurrence => Managed.Occurrence;

    /// <summary>Of a periodic task: occurrences that were left out since its creation.</summary>
    public long Skipped => Managed.Skipped;

    /// <summary>What became of the start of the next task when the run that is shown finished.</summary>
    public ChainResult Chain => Managed.Chain;

    /// <summary>How the run that is shown ended; null while it has not.</summary>
    public TaskExitCode? ExitCode => Managed.ExitCode;

    /// <summary>Why the run that is shown failed.</summary>
    public TaskError? Error => Managed.Error;

    /// <summary>
    /// Reads a task as the Python original stores it, with results and state. Missing members take their defaults,
    /// unknown members are passed over.
    /// </summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">It is no such object; every member that is wrong is named.</exception>
    public static TaskRecord FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return RecordJson.ReadTask(WireText.Parse(json));
    }

    /// <summary>The id, the state and the number of results; never their contents.</summary>
    public override string ToString() =>
        $"Task \"{Id}\": {State} at stage {Stage} of {Stages} (run {JobId}, {Result.Count} results)";

    /// <summary>Writes the task in the form that <see cref="FromJson"/> reads.</summary>
    public string ToJson() => WireText.Write(this, RecordJson.WriteTask);
}

/// <summary>One run of a task that has ended: its outcome, kept when the task goes on to its next run.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskRun
{
    /// <summary>The task.</summary>
    public required string TaskId { get; init; }

    /// <summary>The run.</summary>
    public required string JobId { get; init; }

    /// <summary><see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>.</summary>
    public required TaskState State { get; init; }

    /// <summary>How it ended.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>Why it failed.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The results of its last pass.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>Retries that it took.</summary>
    public int Retries { get; init; }

    /// <summary>Of a periodic task: the time that it stands for.</summary>
    public DateTimeOffset? Occurrence { get; init; }

    /// <summary>What became of the start of the next task.</summary>
    public ChainResult Chain { get; init; }

    /// <summary>When it was queued last; null if it never was.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Ended { get; init; }

    private JsonSerializerOptions Serializing { get; init; } = WireText.DefaultOptions;

    /// <summary>Throws if the run failed.</summary>
    /// <returns>This run.</returns>
    /// <exception cref="TaskRunFailedException">The run failed; the exception has its error.</exception>
    public TaskRun EnsureSucceeded() => State == TaskState.Finished ? this : throw new TaskRunFailedException(this);

    /// <summary>The result of the last stage that has one, as a type of yours.</summary>
    /// <typeparam name="T">The type, read with <see cref="KaijuTasksOptions.SerializerOptions"/>.</typeparam>
    /// <exception cref="InvalidOperationException">The run has no results: its first stage failed.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>() => GetResult<T>(LastStage);

    /// <summary>The result of a stage, as a type of yours.</summary>
    /// <typeparam name="T">The type, read with <see cref="KaijuTasksOptions.SerializerOptions"/>.</typeparam>
    /// <param name="stage">The stage, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>(int stage) => TypedJson.Read<T>(TypedJson.ResultOf(Result, stage), Serializing);

    /// <summary>The result of the last stage that has one, for trimmed and AOT-compiled apps.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="typeInfo">How the type is read.</param>
    /// <exception cref="InvalidOperationException">The run has no results: its first stage failed.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    public T? GetResult<T>(JsonTypeInfo<T> typeInfo) => GetResult(LastStage, typeInfo);

    /// <summary>The result of a stage, for trimmed and AOT-compiled apps.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="stage">The stage, from 0.</param>
    /// <param name="typeInfo">How the type is read.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    public T? GetResult<T>(int stage, JsonTypeInfo<T> typeInfo) =>
        TypedJson.ResultOf(Result, stage).Deserialize(typeInfo);

    /// <summary>The outcome of the run that is shown, once it has ended.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="state">Its state.</param>
    /// <param name="results">The results that are shown.</param>
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
            Retries = state.Retries,
            Occurrence = state.Occurrence,
            Chain = state.Chain,
            QueuedAt = state.QueuedAt,
            Ended = state.StatusChange,
        };
    }

    /// <summary>The same run, whose results are read with these options.</summary>
    internal TaskRun ReadWith(JsonSerializerOptions options) => new()
    {
        TaskId = TaskId,
        JobId = JobId,
        State = State,
        ExitCode = ExitCode,
        Error = Error,
        Result = Result,
        Retries = Retries,
        Occurrence = Occurrence,
        Chain = Chain,
        QueuedAt = QueuedAt,
        Ended = Ended,
        Serializing = options,
    };

    private int LastStage => Result.Count > 0 ? Result.Count - 1 : throw new InvalidOperationException(
        $"The run {JobId} of task \"{TaskId}\" has no results: its first stage failed.");
}
