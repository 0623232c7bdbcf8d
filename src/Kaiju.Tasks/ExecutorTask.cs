using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// A claimed task: the data that an executor needs to run the rest of it, and the claim that allows it to write.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class ExecutorTask
{
    private readonly int? _retries;
    private IReadOnlyList<JsonElement> _result = [];

    /// <summary>The task's id.</summary>
    public required string Id { get; init; }

    /// <summary>The task's app.</summary>
    public required string AppName { get; init; }

    /// <summary>The executor that holds the claim.</summary>
    public required string ExecutorId { get; init; }

    /// <summary>The claim's random id. Every report carries it; the store refuses reports with any other.</summary>
    public required Guid Claim { get; init; }

    /// <summary>The run's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The pass within the run, from 0.</summary>
    public int Pass { get; init; }

    /// <summary>The attempt at the run, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The stage to begin with, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>The number of stages of the whole task.</summary>
    public int Stages { get; init; }

    /// <summary>The commands from <see cref="Stage"/> on.</summary>
    public required IReadOnlyList<TaskCommand> Commands { get; init; }

    /// <summary>The results of the stages before <see cref="Stage"/>.</summary>
    public IReadOnlyList<JsonElement> Result
    {
        get => _result;
        init => _result = value;
    }

    /// <summary>The task's kws, a JSON object.</summary>
    public JsonElement Kws { get; init; }

    /// <summary>The task's metadata, a JSON object.</summary>
    public JsonElement Meta { get; init; } = JsonText.EmptyObject;

    /// <summary>The time by which the task must have ended or begun to wait, by the store's clock.</summary>
    public DateTimeOffset ExecDeadline { get; init; }

    /// <summary>
    /// The time from the claim to <see cref="ExecDeadline"/>. Executors use it instead of the deadline, since their
    /// clocks may be wrong.
    /// </summary>
    public TimeSpan TimeLeft { get; init; }

    /// <summary>
    /// The store's own number for the task; 0 if the store has none. Reports carry it back, so that the store can find
    /// the task without its id.
    /// </summary>
    public long StoreKey { get; init; }

    /// <summary>
    /// The largest number of retries of the task. Executors use it only for their logs: the store decides whether a
    /// failure is final.
    /// </summary>
    public int MaxRetries { get; init; }

    /// <summary>
    /// The task's own delay before a retry; null for the host's (<see cref="KaijuTasksOptions.RetryDelay"/>).
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>
    /// The retries of the run that count against <see cref="MaxRetries"/>. Default: <see cref="Attempt"/> - 1.
    /// </summary>
    public int Retries
    {
        get => _retries ?? Attempt - 1;
        init => _retries = value;
    }

    /// <summary>The retries of <see cref="Stage"/> that have begun in the present pass.</summary>
    public int StageRetries { get; init; }

    /// <summary>The time for which the task had been queued when it was claimed.</summary>
    public TimeSpan QueuedFor { get; init; }

    /// <summary>Makes the answer to a claim; for stores.</summary>
    /// <param name="task">The complete definition.</param>
    /// <param name="state">The state after the claim, EXECUTED.</param>
    /// <param name="results">The results of the stages before the present one.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="storeKey">The store's own number for the task. Default 0, for none.</param>
    public static ExecutorTask Of(
        TaskDefinition task,
        ManagedState state,
        IReadOnlyList<JsonElement> results,
        DateTimeOffset now,
        long storeKey = 0)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        task = state.Changes is { } changes ? changes.Apply(task) : task;
        return new ExecutorTask
        {
            Id = task.Id!,
            AppName = task.AppName!,
            ExecutorId = state.ExecutorId!,
            Claim = state.Claim!.Value,
            JobId = state.JobId,
            Pass = state.Pass,
            Attempt = state.Attempt,
            Retries = state.Retries,
            StageRetries = state.StageRetries,
            Stage = state.Stage,
            Stages = task.Commands.Count,
            Commands = state.Stage == 0 ? task.Commands : [.. task.Commands.Skip(state.Stage)],
            Result = results,
            Kws = task.KwsJson,
            Meta = JsonText.IsNothing(task.MetaJson) ? JsonText.EmptyObject : task.MetaJson,
            ExecDeadline = state.ExecDeadline!.Value,
            TimeLeft = state.ExecDeadline.Value - now,
            StoreKey = storeKey,
            MaxRetries = task.MaxRetries ?? 0,
            RetryDelay = task.RetryDelay,
            QueuedFor = now - state.QueuedAt ?? TimeSpan.Zero,
        };
    }

    /// <summary>Reads a task that <see cref="ToJson"/> has written.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">
    /// The JSON is not an executor's task; the message names every invalid member.
    /// </exception>
    public static ExecutorTask FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ExecutorTaskJson.Read(WireText.Parse(json));
    }

    /// <summary>Writes the task as JSON, for an executor in another process.</summary>
    public string ToJson() => WireText.Write(this, ExecutorTaskJson.Write);

    /// <summary>The retries of a stage that had begun in the present pass at the claim.</summary>
    internal int RetriesOf(int stage) => stage == Stage ? StageRetries : 0;

    /// <summary>Returns the task with other results of the earlier stages.</summary>
    internal ExecutorTask WithResult(IReadOnlyList<JsonElement> result)
    {
        var copy = (ExecutorTask)MemberwiseClone();
        copy._result = result;
        return copy;
    }
}
