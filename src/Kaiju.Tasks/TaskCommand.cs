using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// One entry of a task's definition: a method by name, its params, a timeout and a condition. All four but the timeout
/// may hold templates, which are filled when the stage begins.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public record TaskCommand
{
    private readonly JsonInput _params;

    /// <summary>A command without params.</summary>
    /// <param name="method">The name under which the command is registered with the executor.</param>
    public TaskCommand(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        Method = method;
    }

    /// <summary>A command with params as JSON.</summary>
    /// <param name="method">The name under which the command is registered with the executor.</param>
    /// <param name="parameters">An object, usually; its texts may be templates.</param>
    public TaskCommand(string method, JsonElement parameters)
        : this(method) => _params = new JsonInput(parameters);

    /// <summary>A command with params as an object of yours, written as JSON when the task is created.</summary>
    /// <param name="method">The name under which the command is registered with the executor.</param>
    /// <param name="parameters">An object, often anonymous; its texts may be templates.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public TaskCommand(string method, object? parameters)
        : this(method) => _params = JsonInput.Of(parameters);

    /// <summary>The name under which the command is registered with the executor; may be a template.</summary>
    public string Method { get; init; }

    /// <summary>What was given as params: an object of yours, JSON, or null.</summary>
    public object? Params
    {
        get => _params.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _params = JsonInput.Of(value);
    }

    /// <summary>
    /// The params as JSON; undefined if there are none, or while they are an object that is not written yet.
    /// </summary>
    public JsonElement ParamsJson
    {
        get => _params.Json;
        init => _params = new JsonInput(value);
    }

    /// <summary>
    /// How long the stage may take, null for no bound but the task's own. Greater than zero, at most
    /// <see cref="TaskLimits.MaxExecTimeout"/>. For a message wait: how long it waits, at most
    /// <see cref="TaskLimits.MaxWait"/>, null for as long as it takes.
    /// </summary>
    public TimeSpan? MaxTimeout { get; init; }

    /// <summary>
    /// Runs the stage only if this holds; otherwise the stage counts as done with the result null. Null: always.
    /// </summary>
    public TaskCondition? Condition { get; init; }

    /// <summary>
    /// A command with params of a type that a source generator knows; for trimmed and AOT-compiled apps.
    /// </summary>
    /// <typeparam name="T">The params' type.</typeparam>
    /// <param name="method">The name under which the command is registered with the executor.</param>
    /// <param name="parameters">The params.</param>
    /// <param name="typeInfo">How they are written.</param>
    /// <exception cref="TaskValidationException">They are not JSON; the message names the member.</exception>
    public static TaskCommand Create<T>(string method, T parameters, JsonTypeInfo<T> typeInfo) =>
        new(method, CallersJson.Of(parameters, typeInfo, "params"));

    /// <summary>The method and the size of the params, such as <c>orders.ship (params: 9 bytes)</c>.</summary>
    public sealed override string ToString() => $"{Method} (params: {_params.SizeText})";

    /// <summary>The same with its params as JSON that is ours.</summary>
    /// <exception cref="UnwritableException">They cannot be written.</exception>
    internal TaskCommand Owned(JsonSerializerOptions options) =>
        _params.Owned(options, "params") is { ValueKind: not JsonValueKind.Undefined } json
            ? this with { ParamsJson = json }
            : this;

    /// <summary>The same with its params as JSON.</summary>
    /// <exception cref="UnwritableException">They cannot be written.</exception>
    internal TaskCommand Written(JsonSerializerOptions options) =>
        this with { ParamsJson = _params.Written(options, "params").Json };
}
