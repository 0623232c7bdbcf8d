using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
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
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The command's method, with its template filled.</summary>
    public required string Method { get; init; }

    /// <summary>The app of the task. Default <c>default</c>.</summary>
    public string AppName { get; init; } = "default";

    /// <summary>The run: one life of the task from its first stage to its end. Default <c>job</c>.</summary>
    public string JobId { get; init; } = "job";

    /// <summary>The executor that runs the stage. Default <c>executor</c>.</summary>
    public string ExecutorId { get; init; } = "executor";

    /// <summary>The pass within the run, from 0: raised by each retry that begins at the first stage.</summary>
    public int Pass { get; init; }

    /// <summary>
    /// The attempt at the run, from 1: raised by retries, not by suspensions or executors that died. Default 1.
    /// </summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The largest number of retries of the task.</summary>
    public int MaxRetries { get; init; }

    /// <summary>The stage, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>The number of stages of the task. Default 1.</summary>
    public int Stages { get; init; } = 1;

    /// <summary>The task's kws, a JSON object. Default <c>{}</c>.</summary>
    public JsonElement Kws { get; init; } = JsonText.EmptyObject;

    /// <summary>The task's metadata, a JSON object. Default <c>{}</c>.</summary>
    public JsonElement Meta { get; init; } = JsonText.EmptyObject;

    /// <summary>The results of the stages before this one.</summary>
    public IReadOnlyList<JsonElement> Results { get; init; } = [];

    /// <summary>A logger whose scope names task, run and stage. Default: one that writes nowhere.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>
    /// How <see cref="GetResult{T}(int)"/>, <see cref="GetKws{T}"/> and <see cref="GetMeta{T}"/> read JSON: the host's
    /// <see cref="KaijuTasksOptions.SerializerOptions"/>. Default: System.Text.Json's Web defaults.
    /// </summary>
    public JsonSerializerOptions SerializerOptions { get; init; } = WireText.DefaultOptions;

    /// <summary>
    /// A key that is the same in every execution of this stage in this pass, and differs from that of every other
    /// stage: <c>task/run/pass/stage</c>. A stage may run more than once if its executor dies: send the key to systems
    /// that recognise a repeated request by it.
    /// </summary>
    public string IdempotencyKey => $"{TaskId}/{JobId}/{Pass}/{Stage}";

    /// <summary>The claim under which the stage runs.</summary>
    internal Guid Claim { get; init; }

    /// <summary>The result of an earlier stage, as a type of yours.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="stage">The stage, from 0, less than <see cref="Stage"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetResult<T>(int stage) => TypedJson.Read<T>(TypedJson.ResultOf(Results, stage), SerializerOptions);

    /// <inheritdoc cref="GetResult{T}(int)"/>
    /// <param name="stage">The stage, from 0, less than <see cref="Stage"/>.</param>
    /// <param name="typeInfo">How the type is read.</param>
    public T? GetResult<T>(int stage, JsonTypeInfo<T> typeInfo) =>
        TypedJson.ResultOf(Results, stage).Deserialize(typeInfo);

    /// <summary>The kws, as a type of yours.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <exception cref="JsonException">The kws do not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetKws<T>() => TypedJson.Read<T>(Kws, SerializerOptions);

    /// <summary>The metadata, as a type of yours.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <exception cref="JsonException">The metadata does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetMeta<T>() => TypedJson.Read<T>(Meta, SerializerOptions);
}
