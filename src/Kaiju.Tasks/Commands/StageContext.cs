using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks;

/// <summary>What a handler may know about the stage that it runs. Ask for it as a parameter.</summary>
public sealed class StageContext
{
    private readonly JsonSerializerOptions _serializing;

    internal StageContext(
        ExecutorTask task,
        int stage,
        string method,
        IReadOnlyList<JsonElement> results,
        JsonSerializerOptions serializing,
        ILogger logger)
    {
        Task = task;
        Stage = stage;
        Method = method;
        Results = results;
        _serializing = serializing;
        Logger = logger;
    }

    /// <summary>The task as it was claimed.</summary>
    public ExecutorTask Task { get; }

    /// <summary>The task's id.</summary>
    public string TaskId => Task.Id;

    /// <summary>The run: one life of the task from its first stage to its end.</summary>
    public string JobId => Task.JobId;

    /// <summary>The pass within the run: 0, and one more after each retry that begins at the first stage.</summary>
    public int Pass => Task.Pass;

    /// <summary>Which go at the run this is, from 1. Raised by retries, not by suspensions or dead executors.</summary>
    public int Attempt => Task.Attempt;

    /// <summary>The stage, 0-based.</summary>
    public int Stage { get; }

    /// <summary>The command's method.</summary>
    public string Method { get; }

    /// <summary>The task's kws, an object.</summary>
    public JsonElement Kws => Task.Kws;

    /// <summary>The results of the stages before this one.</summary>
    public IReadOnlyList<JsonElement> Results { get; }

    /// <summary>
    /// The same for every execution of this stage in this pass (a stage may run more than once if its executor dies),
    /// and of no other stage: <c>task/run/pass/stage</c>. Give it to systems that know a repeated request by its key.
    /// </summary>
    public string IdempotencyKey => $"{TaskId}/{JobId}/{Pass}/{Stage}";

    /// <summary>A logger whose scope names task, run and stage.</summary>
    public ILogger Logger { get; }

    /// <summary>An earlier stage's result as a type of yours.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="stage">The stage, 0-based, less than <see cref="Stage"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">That stage is not before this one.</exception>
    /// <exception cref="JsonException">The result does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? Result<T>(int stage) => Read<T>(ResultJson(stage));

    /// <inheritdoc cref="Result{T}(int)"/>
    /// <param name="stage">The stage, 0-based, less than <see cref="Stage"/>.</param>
    /// <param name="typeInfo">How the type is read.</param>
    public T? Result<T>(int stage, JsonTypeInfo<T> typeInfo) => ResultJson(stage).Deserialize(typeInfo);

    /// <summary>The kws as a type of yours.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <exception cref="JsonException">The kws do not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON, such as a value tuple.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public T? GetKws<T>() => Read<T>(Kws);

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private T? Read<T>(JsonElement json)
    {
        _serializing.MakeReadOnly(populateMissingResolver: true);
        var typeInfo = (JsonTypeInfo<T>)_serializing.GetTypeInfo(typeof(T));
        return Lossy.FindReadingFault(typeInfo) is { } loss
            ? throw new NotSupportedException($"{TypeText.Of(typeof(T))} cannot be read from JSON: {loss}.")
            : json.Deserialize(typeInfo);
    }

    private JsonElement ResultJson(int stage)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stage);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(stage, Results.Count);
        return Results[stage];
    }
}
