using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks;

/// <summary>
/// The stage that a handler runs, with the task's data and the results before it. Ask for it as a parameter of the
/// handler. Tests of handlers construct it: only <see cref="TaskId"/> and <see cref="Method"/> are required.
/// </summary>
public sealed class StageContext
{
    private readonly ExecutorTask? _task;
    private readonly Given _given = Given.Defaults;

    /// <summary>A context for a test: set what the handler needs.</summary>
    public StageContext()
    {
    }

    /// <summary>The context of a claimed task. It refers to the task, so that a stage costs little.</summary>
    [SetsRequiredMembers]
    internal StageContext(ExecutorTask task, string method) => (_task, TaskId, Method) = (task, task.Id, method);

    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The command's method, with its template filled.</summary>
    public required string Method { get; init; }

    /// <summary>The app of the task. Default <c>default</c>.</summary>
    public string AppName
    {
        get => _task is null ? _given.AppName : _task.AppName;
        init => _given = _given with { AppName = value };
    }

    /// <summary>The run: one life of the task from its first stage to its end. Default <c>job</c>.</summary>
    public string JobId
    {
        get => _task is null ? _given.JobId : _task.JobId;
        init => _given = _given with { JobId = value };
    }

    /// <summary>The executor that runs the stage. Default <c>executor</c>.</summary>
    public string ExecutorId
    {
        get => _task is null ? _given.ExecutorId : _task.ExecutorId;
        init => _given = _given with { ExecutorId = value };
    }

    /// <summary>The pass within the run, from 0: raised by each retry that begins at the first stage.</summary>
    public int Pass
    {
        get => _task is null ? _given.Pass : _task.Pass;
        init => _given = _given with { Pass = value };
    }

    /// <summary>
    /// The attempt at the run, from 1: raised by retries, not by suspensions or executors that died. Default 1.
    /// </summary>
    public int Attempt
    {
        get => _task is null ? _given.Attempt : _task.Attempt;
        init => _given = _given with { Attempt = value };
    }

    /// <summary>
    /// The attempt at this stage in the present pass, from 1: raised by retries that begin at this stage. Default 1.
    /// </summary>
    public int StageAttempt
    {
        get => _task is null ? _given.StageAttempt : _task.RetriesOf(Stage) + 1;
        init => _given = _given with { StageAttempt = value };
    }

    /// <summary>The largest number of retries of the task.</summary>
    public int MaxRetries
    {
        get => _task is null ? _given.MaxRetries : _task.MaxRetries;
        init => _given = _given with { MaxRetries = value };
    }

    /// <summary>The stage, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>The number of stages of the task. Default 1.</summary>
    public int Stages
    {
        get => _task is null ? _given.Stages : _task.Stages;
        init => _given = _given with { Stages = value };
    }

    /// <summary>The task's kws, a JSON object. Default <c>{}</c>.</summary>
    public JsonElement Kws
    {
        get => _task is null ? _given.Kws : _task.Kws;
        init => _given = _given with { Kws = value };
    }

    /// <summary>The task's metadata, a JSON object. Default <c>{}</c>.</summary>
    public JsonElement Meta
    {
        get => _task is null ? _given.Meta : _task.Meta;
        init => _given = _given with { Meta = value };
    }

    /// <summary>The results of the stages before this one.</summary>
    public IReadOnlyList<JsonElement> Results { get; init; } = [];

    /// <summary>A logger whose scope names task, run and stage. Default: one that writes nowhere.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>
    /// The options by which <see cref="GetResult{T}(int)"/>, <see cref="GetKws{T}"/> and <see cref="GetMeta{T}"/> read
    /// JSON: <see cref="KaijuTasksOptions.SerializerOptions"/> of the host. Default: System.Text.Json's Web defaults.
    /// </summary>
    public JsonSerializerOptions SerializerOptions { get; init; } = WireText.DefaultOptions;

    /// <summary>
    /// A key that is the same in every execution of this stage in this pass, and differs from that of every other
    /// stage: <c>task/run/pass/stage</c>. A stage may run more than once if its executor dies: send the key to systems
    /// that recognise a repeated request by it.
    /// </summary>
    public string IdempotencyKey => $"{TaskId}/{JobId}/{Pass}/{Stage}";

    /// <summary>The claim under which the stage runs.</summary>
    internal Guid Claim => _task?.Claim ?? Guid.Empty;

    /// <summary>Reads the result of an earlier stage.</summary>
    /// <typeparam name="T">The result's type.</typeparam>
    /// <param name="stage">The stage, from 0, less than <see cref="Stage"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>(int stage) => TypedJson.Read<T>(TypedJson.ResultOf(Results, stage), SerializerOptions);

    /// <inheritdoc cref="GetResult{T}(int)"/>
    /// <param name="stage">The stage, from 0, less than <see cref="Stage"/>.</param>
    /// <param name="typeInfo">The JSON contract of the type.</param>
    public T? GetResult<T>(int stage, JsonTypeInfo<T> typeInfo) =>
        TypedJson.ResultOf(Results, stage).Deserialize(typeInfo);

    /// <summary>Reads the kws.</summary>
    /// <typeparam name="T">The type of the kws.</typeparam>
    /// <exception cref="JsonException">The kws do not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetKws<T>() => TypedJson.Read<T>(Kws, SerializerOptions);

    /// <summary>Reads the metadata.</summary>
    /// <typeparam name="T">The type of the metadata.</typeparam>
    /// <exception cref="JsonException">The metadata does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetMeta<T>() => TypedJson.Read<T>(Meta, SerializerOptions);

    /// <summary>The values that a test has set, and their defaults.</summary>
    private sealed record Given(
        string AppName,
        string JobId,
        string ExecutorId,
        int Pass,
        int Attempt,
        int StageAttempt,
        int MaxRetries,
        int Stages,
        JsonElement Kws,
        JsonElement Meta)
    {
        public static Given Defaults { get; } =
            new("default", "job", "executor", 0, 1, 1, 0, 1, JsonText.EmptyObject, JsonText.EmptyObject);
    }
}
