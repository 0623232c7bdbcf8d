using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// What a caller asks for: an ordered list of commands, and how they are to be run. Data alone; checked as a whole when
/// the task is created. Its JSON is the Python original's, see <see cref="FromJson(string)"/>.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskDefinition
{
    /// <summary>
    /// A <see cref="RunAt"/> for a task that does not run by itself: only a chain (<see cref="NextTask"/>) or a reset
    /// starts it.
    /// </summary>
    public static readonly DateTimeOffset OnDemand = DateTimeOffset.MaxValue;

    private readonly JsonInput _kws;
    private readonly JsonInput _meta;

    /// <summary>
    /// The task's name in the store: 1 to <see cref="TaskLimits.MaxIdLength"/> characters, none of them a control
    /// character. Null: one is made.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>Whose executors run it; null for the client's own app.</summary>
    public string? AppName { get; init; }

    /// <summary>The stages, in order: 1 to <see cref="TaskLimits.MaxStages"/>.</summary>
    public required IReadOnlyList<TaskCommand> Commands { get; init; }

    /// <summary>
    /// Data of the task as a whole, an object: <c>[kws.name]</c> in templates, <c>kws.name</c> in conditions.
    /// </summary>
    public object? Kws
    {
        get => _kws.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _kws = JsonInput.Of(value);
    }

    /// <summary>
    /// <see cref="Kws"/> as JSON; undefined if there is none, or while it is an object that is not written yet.
    /// </summary>
    public JsonElement KwsJson
    {
        get => _kws.Json;
        init => _kws = new JsonInput(value);
    }

    /// <summary>False: the task is kept, but neither queued, claimed, woken nor retried. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// When it runs again and again: five fields, six with seconds first, or a macro such as <c>@daily</c>. Null: once.
    /// </summary>
    public string? Cron { get; init; }

    /// <summary>
    /// The IANA time zone of <see cref="Cron"/>, such as <c>Europe/Riga</c>. Null: UTC. A Windows name is stored as the
    /// IANA one.
    /// </summary>
    public string? CronTimeZone { get; init; }

    /// <summary>
    /// When it runs first. Null: at once, or at the first occurrence of <see cref="Cron"/>. <see cref="OnDemand"/>:
    /// when something starts it.
    /// </summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Higher is claimed first. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// How long an executor may hold the task from its claim to its end or its next wait, in steps of a tick: from
    /// <see cref="TaskLimits.MinExecTimeout"/> to <see cref="TaskLimits.MaxExecTimeout"/>. Null:
    /// <see cref="TaskLimits.DefaultExecTimeout"/>.
    /// </summary>
    public TimeSpan? MaxExecTimeout { get; init; }

    /// <summary>
    /// How often a failed run is retried: 0 to <see cref="TaskLimits.MaxRetries"/>. Default: null, which becomes
    /// <see cref="KaijuTasksOptions.DefaultMaxRetries"/> when the task is created, and 0 when it is imported.
    /// </summary>
    public int? MaxRetries { get; init; }

    /// <summary>
    /// The time before each retry, 0 for at once. Null: what the host's options say, growing by default.
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>Where a retry begins. Default <see cref="Tasks.RestartPolicy.Current"/>.</summary>
    public RestartPolicy RestartPolicy { get; init; }

    /// <summary>Leaves a <see cref="TaskNotification"/> at its end and at each failure. Default false.</summary>
    public bool Notify { get; init; }

    /// <summary>The id of the task that is started when this one has finished. May be this one.</summary>
    public string? NextTask { get; init; }

    /// <summary>Kept by every clean-up. Default false.</summary>
    public bool System { get; init; }

    /// <summary>For people.</summary>
    public string? Description { get; init; }

    /// <summary>Data that the library only keeps, an object.</summary>
    public object? Meta
    {
        get => _meta.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _meta = JsonInput.Of(value);
    }

    /// <summary>
    /// <see cref="Meta"/> as JSON; undefined if there is none, or while it is an object that is not written yet.
    /// </summary>
    public JsonElement MetaJson
    {
        get => _meta.Json;
        init => _meta = new JsonInput(value);
    }

    /// <summary>A name to list tasks by.</summary>
    public string? Group { get; init; }

    /// <summary>A second name to list tasks by: one of many of the same <see cref="Group"/>.</summary>
    public string? GroupId { get; init; }

    /// <summary>Whose task it is; the caller sets it, and notifications are listed by it.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// Reads a definition as the Python original stores it. Missing members and nulls take their defaults, unknown
    /// members are passed over, and JSON-RPC request objects are taken as commands.
    /// </summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">It is no such object; every member that is wrong is named.</exception>
    public static TaskDefinition FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return DefinitionJson.Read(WireText.Parse(json));
    }

    /// <inheritdoc cref="FromJson(string)"/>
    public static TaskDefinition FromJson(JsonElement json) => DefinitionJson.Read(WireText.Checked(json));

    /// <summary>
    /// Reads what <see cref="ToStoredJson"/> has written; for stores, which read often what was checked once.
    /// </summary>
    /// <param name="utf8">The JSON.</param>
    /// <param name="id">The task's id.</param>
    /// <param name="appName">Its app.</param>
    /// <exception cref="JsonException">Something else has written it.</exception>
    public static TaskDefinition FromStoredJson(ReadOnlySpan<byte> utf8, string id, string appName) =>
        DefinitionJson.ReadStored(utf8, id, appName);

    /// <summary>The next occurrences of <see cref="Cron"/> after a time; none without one.</summary>
    /// <param name="time">The time, itself left out.</param>
    /// <param name="count">How many at most.</param>
    /// <exception cref="FormatException">The schedule cannot be read.</exception>
    public IReadOnlyList<DateTimeOffset> GetNextRuns(DateTimeOffset time, int count) =>
        Cron is null ? [] : CronSchedule.Parse(Cron, CronTimeZone).GetNextRuns(time, count);

    /// <summary>
    /// The same with these kws, of a type that a source generator knows; for trimmed and AOT-compiled apps.
    /// </summary>
    /// <typeparam name="T">The kws' type.</typeparam>
    /// <param name="kws">The kws.</param>
    /// <param name="typeInfo">How they are written.</param>
    /// <exception cref="TaskValidationException">They are not JSON; the message names the member.</exception>
    public TaskDefinition WithKws<T>(T kws, JsonTypeInfo<T> typeInfo) =>
        this with { KwsJson = CallersJson.Of(kws, TaskTemplateConverter.OfData(typeInfo), "kws") };

    /// <summary>
    /// Writes the definition in the form that <see cref="FromJson(string)"/> reads. Objects of yours are written with
    /// Web defaults.
    /// </summary>
    /// <exception cref="TaskValidationException">
    /// An object of yours is not JSON; the message names the member.
    /// </exception>
    public string ToJson() => WireText.Write(this, DefinitionJson.Write);

    /// <summary>
    /// Writes a complete definition as a store keeps it beside the task's id and app: without either, and without what
    /// has its default. <see cref="FromJson(string)"/> reads it as well.
    /// </summary>
    public string ToStoredJson() => DefinitionJson.WriteStored(this);

    /// <summary>The id, the methods and the size of the kws; never their contents.</summary>
    public override string ToString()
    {
        var methods = string.Join(", ", Commands?.Select(command => command?.Method) ?? []);
        return $"Task \"{Id}\": {methods} (kws: {_kws.SizeText})";
    }

    /// <summary>What was given as <see cref="Kws"/>.</summary>
    internal JsonInput KwsInput => _kws;

    /// <summary>What was given as <see cref="Meta"/>.</summary>
    internal JsonInput MetaInput => _meta;

    /// <summary>The same with all objects of the caller's as JSON.</summary>
    /// <exception cref="TaskValidationException">One of them cannot be written.</exception>
    internal TaskDefinition Written(JsonSerializerOptions options)
    {
        try
        {
            var data = TaskTemplateConverter.OfData(options);
            return this with
            {
                KwsJson = _kws.Written(data, "kws").Json,
                MetaJson = _meta.Written(data, "meta").Json,
                Commands = Commands is null
                    ? null!
                    : [.. Commands.Select((command, stage) => Written(command, stage, options))],
            };
        }
        catch (UnwritableException e)
        {
            throw e.ForCaller(Id);
        }
    }

    private static TaskCommand Written(TaskCommand? command, int stage, JsonSerializerOptions options)
    {
        try
        {
            return command?.Written(options)!;
        }
        catch (UnwritableException e)
        {
            throw e.Within($"commands[{stage}]");
        }
    }
}
