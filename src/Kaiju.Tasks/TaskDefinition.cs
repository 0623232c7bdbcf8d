using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The definition of a task: an ordered list of commands, and options for running them. It is validated as a whole when
/// the task is created. Its JSON is that of the Python original, see <see cref="FromJson(string)"/>.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskDefinition
{
    /// <summary>
    /// The value of <see cref="RunAt"/> for a task that only a chain (<see cref="NextTask"/>) or a reset starts.
    /// </summary>
    public static readonly DateTimeOffset OnDemand = DateTimeOffset.MaxValue;

    private readonly JsonInput _kws;
    private readonly JsonInput _meta;

    /// <summary>
    /// The task's id, unique in the store: 1 to <see cref="TaskLimits.MaxIdLength"/> characters, without control
    /// characters. Default: null, a random id is made when the task is created.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>The app whose executors may run this task. Default: null, for the client's app.</summary>
    public string? AppName { get; init; }

    /// <summary>The commands, in the order in which they run: 1 to <see cref="TaskLimits.MaxStages"/>.</summary>
    public required IReadOnlyList<TaskCommand> Commands { get; init; }

    /// <summary>
    /// Data that all commands can use, a JSON object. Templates read it as <c>[kws.name]</c>, conditions as
    /// <c>kws.name</c>, handlers from <see cref="StageContext"/>. Default: null, for an empty object.
    /// </summary>
    public object? Kws
    {
        get => _kws.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _kws = JsonInput.Of(value);
    }

    /// <summary>
    /// <see cref="Kws"/> as JSON; undefined if it is null, or a .NET object that is not written yet.
    /// </summary>
    public JsonElement KwsJson
    {
        get => _kws.Json;
        init => _kws = new JsonInput(value);
    }

    /// <summary>False: the task is stored, but neither queued, claimed, woken nor retried. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// The schedule of a periodic task: five fields, six with seconds first, or a macro such as <c>@daily</c>. Default:
    /// null, the task runs once.
    /// </summary>
    public string? Cron { get; init; }

    /// <summary>
    /// The IANA time zone of <see cref="Cron"/>, such as <c>Europe/Riga</c>. A Windows name is stored as the IANA one.
    /// Default: null, for UTC.
    /// </summary>
    public string? CronTimeZone { get; init; }

    /// <summary>
    /// The time of the first run; <see cref="OnDemand"/> for a task that only a chain or a reset starts. Default: null,
    /// for the first occurrence of <see cref="Cron"/>, or for now.
    /// </summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>
    /// The way to handle occurrences of <see cref="Cron"/> that could not run at their time. Default: null, for
    /// <see cref="KaijuTasksOptions.MissedRuns"/> of the host.
    /// </summary>
    public MissedRuns? MissedRuns { get; init; }

    /// <summary>The priority: of the queued tasks, those with a higher one are claimed first. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// The longest time that an executor may hold the task, from its claim to its end or its next wait. From
    /// <see cref="TaskLimits.MinExecTimeout"/> to <see cref="TaskLimits.MaxExecTimeout"/>. Default: null, for
    /// <see cref="TaskLimits.DefaultExecTimeout"/>.
    /// </summary>
    public TimeSpan? MaxExecTimeout { get; init; }

    /// <summary>
    /// The largest number of retries of a run: 0 to <see cref="TaskLimits.MaxRetries"/>. Default: null, which becomes
    /// <see cref="KaijuTasksOptions.DefaultMaxRetries"/> when the task is created, and 0 when it is imported.
    /// </summary>
    public int? MaxRetries { get; init; }

    /// <summary>
    /// The time before each retry: 0 to <see cref="TaskLimits.MaxWait"/>. Default: null, for
    /// <see cref="KaijuTasksOptions.RetryDelay"/> of the host.
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>The stage at which a retry begins. Default <see cref="Tasks.RestartPolicy.Current"/>.</summary>
    public RestartPolicy RestartPolicy { get; init; }

    /// <summary>
    /// True: the store creates a <see cref="TaskNotification"/> at the task's end and at each failure. Default false.
    /// </summary>
    public bool Notify { get; init; }

    /// <summary>
    /// The id of the task to start when this one has finished; may be this one. Default: null, for none.
    /// </summary>
    public string? NextTask { get; init; }

    /// <summary>True: clean-up never deletes the task. Default false.</summary>
    public bool System { get; init; }

    /// <summary>A description for humans; not used by the engine.</summary>
    public string? Description { get; init; }

    /// <summary>Custom metadata (a JSON object), stored and otherwise ignored.</summary>
    public object? Meta
    {
        get => _meta.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _meta = JsonInput.Of(value);
    }

    /// <summary>
    /// <see cref="Meta"/> as JSON; undefined if it is null, or a .NET object that is not written yet.
    /// </summary>
    public JsonElement MetaJson
    {
        get => _meta.Json;
        init => _meta = new JsonInput(value);
    }

    /// <summary>A name by which tasks can be listed. Not used by the engine.</summary>
    public string? Group { get; init; }

    /// <summary>A second name by which tasks of a <see cref="Group"/> can be listed. Not used by the engine.</summary>
    public string? GroupId { get; init; }

    /// <summary>The user to whom the task belongs. Tasks and notifications can be listed by it.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// Reads a definition in the form in which the Python original stores it. Missing members and nulls get their
    /// defaults. Unknown members are ignored. A JSON-RPC request object is read as a command.
    /// </summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">
    /// The JSON is not a definition; the message names every invalid member.
    /// </exception>
    public static TaskDefinition FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return DefinitionJson.Read(WireText.Parse(json));
    }

    /// <inheritdoc cref="FromJson(string)"/>
    public static TaskDefinition FromJson(JsonElement json) => DefinitionJson.Read(WireText.Checked(json));

    /// <summary>
    /// Reads the JSON that <see cref="ToStoredJson"/> has written, without validating it again; for stores. Members
    /// that only a later version knows are kept, and <see cref="ToStoredJson"/> writes them back.
    /// </summary>
    /// <param name="utf8">The JSON, as UTF-8.</param>
    /// <param name="id">The task's id.</param>
    /// <param name="appName">The task's app.</param>
    /// <exception cref="JsonException">The JSON is not a stored definition.</exception>
    public static TaskDefinition FromStoredJson(ReadOnlySpan<byte> utf8, string id, string appName) =>
        DefinitionJson.ReadStored(utf8, id, appName);

    /// <summary>Lists the next occurrences of <see cref="Cron"/>; none if it is null.</summary>
    /// <param name="time">The time after which the occurrences lie.</param>
    /// <param name="count">The largest number of occurrences; 0 or more.</param>
    /// <exception cref="FormatException">The schedule or its time zone is invalid.</exception>
    public IReadOnlyList<DateTimeOffset> GetNextRuns(DateTimeOffset time, int count) =>
        Cron is null ? [] : CronSchedule.Parse(Cron, CronTimeZone).GetNextRuns(time, count);

    /// <summary>
    /// Returns the definition with these kws, of a type with source-generated JSON; for trimmed and AOT-compiled apps.
    /// </summary>
    /// <typeparam name="T">The kws' type.</typeparam>
    /// <param name="kws">The kws.</param>
    /// <param name="typeInfo">The JSON contract of the kws' type.</param>
    /// <exception cref="TaskValidationException">
    /// The kws cannot be written as JSON; the message names the member.
    /// </exception>
    public TaskDefinition WithKws<T>(T kws, JsonTypeInfo<T> typeInfo) =>
        this with { KwsJson = CallersJson.Of(kws, TaskTemplateConverter.OfData(typeInfo), "kws") };

    /// <summary>
    /// Writes the definition in the form that <see cref="FromJson(string)"/> reads. .NET objects are written with the
    /// Web defaults of System.Text.Json.
    /// </summary>
    /// <exception cref="TaskValidationException">
    /// An object cannot be written as JSON; the message names the member.
    /// </exception>
    public string ToJson() => WireText.Write(this, DefinitionJson.Write);

    /// <summary>
    /// Writes a complete definition for a store: without the id and the app, which stores keep beside it, and without
    /// members that have their defaults. <see cref="FromJson(string)"/> reads it as well.
    /// </summary>
    public string ToStoredJson() => DefinitionJson.WriteStored(this);

    /// <summary>The id, the methods and the size of the kws, without the kws themselves.</summary>
    public override string ToString()
    {
        var methods = string.Join(", ", Commands?.Select(command => command?.Method) ?? []);
        return $"Task \"{Id}\": {methods} (kws: {_kws.SizeText})";
    }

    /// <summary>The stored members that only a later version knows; null if there are none.</summary>
    internal UnknownMembers? Unknown { get; init; }

    /// <summary>The input of <see cref="Kws"/>.</summary>
    internal JsonInput KwsInput
    {
        get => _kws;
        init => _kws = value;
    }

    /// <summary>Returns the definition with other kws.</summary>
    internal TaskDefinition WithKws(JsonInput kws) => this with { KwsInput = kws };

    /// <summary>The input of <see cref="Meta"/>.</summary>
    internal JsonInput MetaInput => _meta;

    /// <summary>Returns the definition with all of the caller's objects written as JSON.</summary>
    /// <exception cref="TaskValidationException">An object cannot be written.</exception>
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
