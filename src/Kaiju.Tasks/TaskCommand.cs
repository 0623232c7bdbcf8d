using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// One command of a task: a method by name, its params, a timeout and a condition. Method, params and condition may
/// contain templates, which are filled when the stage begins.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public record TaskCommand
{
    private readonly JsonInput _params;

    /// <summary>Makes a command without params.</summary>
    /// <param name="method">The name under which the executor's host has registered the handler.</param>
    public TaskCommand(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        Method = method;
    }

    /// <summary>Makes a command with params as JSON.</summary>
    /// <param name="method">The name under which the executor's host has registered the handler.</param>
    /// <param name="parameters">
    /// The params: usually an object, whose members are the handler's parameters. Its texts may be templates.
    /// </param>
    public TaskCommand(string method, JsonElement parameters)
        : this(method) => _params = new JsonInput(parameters);

    /// <summary>
    /// Makes a command with params as a .NET object, which is written as JSON when the task is created.
    /// </summary>
    /// <param name="method">The name under which the executor's host has registered the handler.</param>
    /// <param name="parameters">
    /// The params, often an anonymous object, whose members are the handler's parameters. Its texts may be templates.
    /// </param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public TaskCommand(string method, object? parameters)
        : this(method) => _params = JsonInput.Of(parameters);

    /// <summary>The name under which the executor's host has registered the handler; may be a template.</summary>
    public string Method { get; init; }

    /// <summary>The params as they were set: a .NET object, a <see cref="JsonElement"/>, or null.</summary>
    public object? Params
    {
        get => _params.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _params = JsonInput.Of(value);
    }

    /// <summary>
    /// The params as JSON; undefined if there are none, or if they are a .NET object that is not written yet.
    /// </summary>
    public JsonElement ParamsJson
    {
        get => _params.Json;
        init => _params = new JsonInput(value);
    }

    /// <summary>
    /// The longest time that the stage may take: more than zero, at most <see cref="TaskLimits.MaxExecTimeout"/>.
    /// Default: null, for no limit but that of the task. For a <see cref="MessageCommand"/>: the longest wait, at most
    /// <see cref="TaskLimits.MaxWait"/>. Default: null, for no limit.
    /// </summary>
    public TimeSpan? MaxTimeout { get; init; }

    /// <summary>
    /// The largest number of retries that the stage has for itself in each pass of a run: 0 to
    /// <see cref="TaskLimits.MaxRetries"/>. They are used up before those of the task, and begin at this stage whatever
    /// the task's <see cref="TaskDefinition.RestartPolicy"/>. Default: null, for none.
    /// </summary>
    public int? MaxRetries { get; init; }

    /// <summary>
    /// The time before each retry of <see cref="MaxRetries"/>; if that is null, before each retry of the task after a
    /// failure of this stage. 0 to <see cref="TaskLimits.MaxWait"/>. Default: null, for
    /// <see cref="TaskDefinition.RetryDelay"/> of the task.
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>
    /// The condition under which the stage runs. If it does not hold, the stage completes with the result null.
    /// Default: null, the stage always runs.
    /// </summary>
    public TaskCondition? Condition { get; init; }

    /// <summary>
    /// Makes a command with params of a type with source-generated JSON, for trimmed and AOT-compiled apps.
    /// </summary>
    /// <typeparam name="T">The params' type.</typeparam>
    /// <param name="method">The name under which the executor's host has registered the handler.</param>
    /// <param name="parameters">The params.</param>
    /// <param name="typeInfo">The JSON contract of the params' type.</param>
    /// <exception cref="TaskValidationException">
    /// The params cannot be written as JSON; the message names the member.
    /// </exception>
    public static TaskCommand Create<T>(string method, T parameters, JsonTypeInfo<T> typeInfo) =>
        new(method, CallersJson.Of(parameters, typeInfo, "params"));

    /// <summary>The method and the size of the params, such as <c>orders.ship (params: 9 bytes)</c>.</summary>
    public sealed override string ToString() => $"{Method} (params: {_params.SizeText})";

    /// <summary>The stored members that only a later version knows; null if there are none.</summary>
    internal UnknownMembers? Unknown { get; init; }

    private JsonInput Input
    {
        init => _params = value;
    }

    /// <summary>Returns the command with other params.</summary>
    internal TaskCommand WithParams(JsonInput parameters) => this with { Input = parameters };

    /// <summary>Returns the command with its params as JSON that does not depend on a document of the caller.</summary>
    /// <exception cref="UnwritableException">The params cannot be written.</exception>
    internal TaskCommand Owned(JsonSerializerOptions options) =>
        _params.Owned(options, "params") is { ValueKind: not JsonValueKind.Undefined } json
            ? this with { ParamsJson = json }
            : this;

    /// <summary>Returns the command with its params as JSON.</summary>
    /// <exception cref="UnwritableException">The params cannot be written.</exception>
    internal TaskCommand Written(JsonSerializerOptions options) =>
        this with { ParamsJson = _params.Written(options, "params").Json };
}
