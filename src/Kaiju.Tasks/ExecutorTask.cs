using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What an executor gets with a claim: all that it needs to run the rest of the task, and the claim that lets it write.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class ExecutorTask
{
    /// <summary>The task.</summary>
    public required string Id { get; init; }

    /// <summary>Its app.</summary>
    public required string AppName { get; init; }

    /// <summary>Who may run it.</summary>
    public required string ExecutorId { get; init; }

    /// <summary>The fence: every report carries it.</summary>
    public required Guid Claim { get; init; }

    /// <summary>The run.</summary>
    public required string JobId { get; init; }

    /// <summary>The pass within the run.</summary>
    public int Pass { get; init; }

    /// <summary>Which go at the run this is, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The stage to begin with.</summary>
    public int Stage { get; init; }

    /// <summary>How many stages the whole task has.</summary>
    public int Stages { get; init; }

    /// <summary>The commands from <see cref="Stage"/> on.</summary>
    public required IReadOnlyList<TaskCommand> Commands { get; init; }

    /// <summary>The results of the stages before <see cref="Stage"/>.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>The task's kws, an object.</summary>
    public JsonElement Kws { get; init; }

    /// <summary>The task's metadata, an object.</summary>
    public JsonElement Meta { get; init; } = JsonText.EmptyObject;

    /// <summary>When the task must have ended or parked itself, by the store's clock.</summary>
    public DateTimeOffset ExecDeadline { get; init; }

    /// <summary>
    /// How much time is left until then, as of the claim. What an executor goes by, since its own clock may be wrong.
    /// </summary>
    public TimeSpan TimeLeft { get; init; }

    /// <summary>
    /// The store's own number for the task, 0 if it has none. Reports carry it back, so that the store need not look
    /// the task up by its id.
    /// </summary>
    public long StoreKey { get; init; }

    /// <summary>
    /// The most retries of the task. Executors only log by it whether a failure is final; the store decides.
    /// </summary>
    public int MaxRetries { get; init; }

    /// <summary>
    /// The task's own delay before a retry; null for the host's (<see cref="KaijuTasksOptions.RetryDelay"/>).
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>The time for which the task had been queued when it was claimed.</summary>
    public TimeSpan QueuedFor { get; init; }

    /// <summary>What a store hands out with a claim.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state, EXECUTED.</param>
    /// <param name="results">The results that are shown.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="storeKey">The store's own number for the task.</param>
    public static ExecutorTask Of(
        TaskDefinition task,
        ManagedState state,
        IReadOnlyList<JsonElement> results,
        DateTimeOffset now,
        long storeKey = 0)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        return new ExecutorTask
        {
            Id = task.Id!,
            AppName = task.AppName!,
            ExecutorId = state.ExecutorId!,
            Claim = state.Claim!.Value,
            JobId = state.JobId,
            Pass = state.Pass,
            Attempt = state.Attempt,
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
    /// <exception cref="TaskValidationException">It is no such object; every member that is wrong is named.</exception>
    public static ExecutorTask FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ExecutorTaskJson.Read(WireText.Parse(json));
    }

    /// <summary>Writes the task for an executor in another process.</summary>
    public string ToJson() => WireText.Write(this, ExecutorTaskJson.Write);
}
