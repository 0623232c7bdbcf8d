using System.Data.Common;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>One task in a step: the values that were read, with the changes that the step has made so far.</summary>
internal sealed class TaskRow
{
    private static readonly int _taskNo = TaskRowColumns.OrdinalOf("task_no");
    private static readonly int _id = TaskRowColumns.OrdinalOf("id");
    private static readonly int _created = TaskRowColumns.OrdinalOf("created");

    private TaskDefinition? _definition;
    private byte[]? _stored;
    private TaskDefinition? _waiting;
    private byte[]? _storedWaiting;
    private long? _bytes;
    private DateTimeOffset? _droppedAt;

    public long TaskNo { get; set; }

    public Guid Creation { get; init; }

    /// <summary>
    /// The definition, parsed at its first use. So a task whose definition this version cannot read can still be given
    /// back, cancelled and deleted.
    /// </summary>
    /// <exception cref="JsonException">This version cannot read the definition.</exception>
    public TaskDefinition Definition
    {
        get => _definition ??= ReadDefinition();
        set => (_definition, Head, _bytes) = (value, value, null);
    }

    /// <summary>
    /// The part of the definition that columns hold. Members without a column are empty, or only show that a value
    /// exists.
    /// </summary>
    public TaskDefinition Head { get; private set; } = null!;

    /// <summary>
    /// The definition that waits for the next run, parsed at its first use; null if there is none, or if it was not
    /// loaded.
    /// </summary>
    /// <exception cref="JsonException">This version cannot read the definition.</exception>
    public TaskDefinition? Waiting
    {
        get => _waiting ??= _storedWaiting is { } stored ? ReadWaiting(stored) : null;
        set => (_waiting, _storedWaiting, HasWaiting) = (value, null, value is not null);
    }

    /// <summary>True if a definition waits for the next run.</summary>
    public bool HasWaiting { get; set; }

    /// <summary>The version of the newest definition.</summary>
    public long? Version { get; set; }

    public required ManagedState State { get; set; }

    public DateTimeOffset Created { get; init; }

    public required LifecycleRules Rules { get; init; }

    public int Revision { get; set; }

    /// <summary>
    /// The current run's number, counted for each task, so that rows need not repeat the run's id.
    /// </summary>
    public int RunNo { get; set; } = 1;

    /// <summary>The number of the run whose results are shown.</summary>
    public int ResultRunNo { get; set; } = 1;

    /// <summary>The number of results that are shown.</summary>
    public int Results { get; set; }

    /// <summary>The size of the results that are shown, in bytes.</summary>
    public long ResultBytes { get; set; }

    /// <summary>
    /// The place of the row's app and method among those of its batch, an integer from 1; null for a new row that is
    /// not queued.
    /// </summary>
    public object? Route { get; set; }

    /// <summary>The app and the method by which a hold is found; null for a row that is not queued.</summary>
    public (string App, string Method)? Queue =>
        State is { State: TaskState.Queued, Method: { } method } ? (Head.AppName!, method) : null;

    public string Id => Head.Id!;

    /// <summary>The approximate size in bytes of the definition that a claim loads.</summary>
    public long Bytes => _bytes ??= SizeOf(Definition);

    public TaskTraits Traits =>
        (Head.Cron is null ? 0 : TaskTraits.Periodic)
        | (Head.System ? TaskTraits.System : 0)
        | (Head.Notify ? TaskTraits.Notifies : 0)
        | (Head.NextTask is null ? 0 : TaskTraits.Chains);

    /// <summary>The traits that decide whether a statement reads the definition.</summary>
    public TaskTraits NeededFor => Traits | (HasWaiting ? TaskTraits.Waits : 0);

    /// <summary>The manager's next duty for the task and its time; null if there is none.</summary>
    public DueDuty? Due => DueDuty.Of(Head, State) is { } due && !(due.At <= _droppedAt) ? due : null;

    /// <summary>The time from which on the run is overdue.</summary>
    public DateTimeOffset? Overdue =>
        TaskLifecycle.OverdueFrom(Head, State, Rules) is { } overdue && !(overdue <= _droppedAt) ? overdue : null;

    /// <summary>The time at which the task ended for good, if a clean-up may delete it.</summary>
    public DateTimeOffset? Ended => TaskLifecycle.IsDisposable(Head, State) ? State.StatusChange : null;

    /// <summary>The hints to publish for a new task.</summary>
    public StoreHintKinds HintsOfNew => CreationRules.HintsOf(State);

    /// <summary>Creates the row of a new task.</summary>
    /// <param name="definition">The definition with all defaults filled in.</param>
    /// <param name="parts">The store's parts.</param>
    /// <param name="mark">The mark of the call that creates it.</param>
    /// <param name="now">The time of the creation.</param>
    /// <param name="version">The version of the definition.</param>
    public static TaskRow New(
        TaskDefinition definition, StoreParts parts, Guid mark, DateTimeOffset now, long? version) => new()
        {
            Version = version,
            Rules = parts.Rules,
            Creation = mark,
            Definition = definition,
            Created = now,
            State = TaskLifecycle.Create(definition, parts.NewJobId(), now),
        };

    /// <summary>Reads a row with the columns that <see cref="TaskRowColumns.Read"/> lists.</summary>
    public static TaskRow Read(DbDataReader reader, LifecycleRules rules)
    {
        var row = new TaskRow
        {
            Rules = rules,
            Head = new TaskDefinition { Commands = [] },
            State = new ManagedState { JobId = "", ResultRun = "" },
        };
        var columns = TaskRowColumns.Read;
        for (var place = 0; place < columns.Length; place++)
        {
            columns[place].Read!(row, reader, place);
        }

        return row;
    }

    /// <summary>Reads the number and the id of a row, even if this version cannot read the rest of it.</summary>
    public static (long TaskNo, string Id) KeyOf(DbDataReader reader) =>
        (reader.GetInt64(_taskNo), reader.GetString(_id));

    /// <summary>
    /// Reads the place of a row in the order of creation, even if this version cannot read the rest of it.
    /// </summary>
    public static TaskCursor CursorOf(DbDataReader reader) => new(reader.Time(_created), reader.GetString(_id));

    /// <summary>True if the task is in the scope; null is the scope of all tasks.</summary>
    public bool IsIn(TaskScope? scope) => scope?.Includes(Head.AppName, Head.Group, Head.UserId) != false;

    /// <summary>The definition that the lifecycle needs for an event.</summary>
    public TaskDefinition DefinitionFor(TaskEvent happened) =>
        _definition ?? (DefinitionNeed.Of(happened).Includes(NeededFor) ? Definition : Head);

    /// <summary>True if enough of the definition was loaded for this need.</summary>
    public bool Has(DefinitionNeed need) => _definition is not null || _stored is not null || !need.Includes(NeededFor);

    /// <summary>Takes the definition of the same row that was loaded for a greater need.</summary>
    public void TakeDefinitionOf(TaskRow loaded) =>
        (_stored, _storedWaiting) = (loaded._stored, _storedWaiting ?? loaded._storedWaiting);

    /// <summary>Keeps the definition's stored form, to parse it when it is needed.</summary>
    public void KeepStored(byte[]? definition) => _stored = definition;

    /// <summary>Keeps the stored form of the definition that waits, to parse it when it is needed.</summary>
    public void KeepStoredWaiting(byte[]? definition) => _storedWaiting = definition;

    /// <summary>Takes the work of the definition that waits.</summary>
    public void TakeWaiting() => Replace(TaskDeployment.Take(Definition, Waiting!), null);

    /// <summary>Replaces the definitions; the stored task then has a new revision.</summary>
    public void Replace(TaskDefinition definition, TaskDefinition? waiting) =>
        (Definition, Waiting, Revision) = (definition, waiting, Revision + 1);

    /// <summary>Takes the hold that was found for its app and method.</summary>
    public void TakeHold(TaskHold hold) => State = TaskRouting.Decide(hold, State);

    /// <summary>Keeps the size that was read.</summary>
    public void KeepBytes(long bytes) => _bytes = bytes;

    /// <summary>Adds to <see cref="Head"/> the method of the stage for which the task is queued next.</summary>
    public void KeepMethod(string? method)
    {
        var stage = State.State == TaskState.Idle ? 0 : State.Stage;
        if (method is not null && stage < Head.Commands.Count)
        {
            List<TaskCommand> commands = [.. Head.Commands];
            commands[stage] = new TaskCommand(method);
            Head = Head with { Commands = commands };
        }
    }

    /// <summary>Adds to <see cref="Head"/> the facts that the traits contain.</summary>
    public void ReadTraits(TaskTraits traits) => Head = Head with
    {
        Cron = traits.HasFlag(TaskTraits.Periodic) ? "" : null,
        System = traits.HasFlag(TaskTraits.System),
        Notify = traits.HasFlag(TaskTraits.Notifies),
        NextTask = traits.HasFlag(TaskTraits.Chains) ? "" : null,
    };

    /// <summary>Drops the duty that is due at this time, until another event changes the task.</summary>
    public void Drop(DateTimeOffset now) => _droppedAt = now;

    public TaskRecord Snapshot(IReadOnlyList<JsonElement> results) => new()
    {
        Definition = Definition,
        Managed = State with { Claim = null, LastReport = null },
        Created = Created,
        Revision = Revision,
        Waiting = Waiting,
        Version = Version,
        Result = results,
    };

    /// <summary>
    /// The stored form of the definition that waits. Its app has no column, so it comes first in the JSON.
    /// </summary>
    public static string? WriteWaiting(TaskRow row) => row.Waiting is { } waiting
        ? $"{{\"app_name\":\"{JsonEncodedText.Encode(waiting.AppName!)}\",{waiting.ToStoredJson()[1..]}"
        : null;

    /// <summary>The approximate size of a definition in bytes.</summary>
    public static long SizeOf(TaskDefinition definition) => SizeOf(definition.KwsJson) + SizeOf(definition.MetaJson)
        + definition.Commands.Sum(command => SizeOf(command.ParamsJson) + SizeOf(command.Condition?.Json ?? default));

    public static long SizeOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(json).Length;

    private TaskDefinition ReadDefinition()
    {
        if (_stored is null)
        {
            throw new InvalidOperationException($"The definition of task \"{Id}\" is needed but was not loaded.");
        }

        return ReaderExtensions.ParseDefinition(_stored, Id, Head.AppName!);
    }

    /// <summary>Reads the form that <see cref="WriteWaiting"/> has written.</summary>
    private TaskDefinition ReadWaiting(byte[] stored)
    {
        var start = new Utf8JsonReader(stored);
        return start.Read() && start.Read() && start.ValueTextEquals("app_name"u8) && start.Read()
            ? ReaderExtensions.ParseDefinition(stored, Id, start.GetString()!)
            : throw new JsonException($"The waiting definition of task \"{Id}\" does not begin with its app.");
    }
}
