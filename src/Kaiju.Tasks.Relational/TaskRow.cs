using System.Data.Common;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>What of a definition the end of a stage depends on, so that its statement need not read the definition.</summary>
[Flags]
internal enum TaskTraits
{
    Periodic = 1,
    System = 2,
    Notifies = 4,
    Chains = 8,
}

/// <summary>Of which tasks a statement reads the definition: those that have one of these traits.</summary>
/// <param name="Traits">A set of <see cref="TaskTraits"/>, and 16 for every task.</param>
internal readonly record struct DefinitionNeed(int Traits)
{
    /// <summary>Of none: the columns say all that is needed.</summary>
    public static readonly DefinitionNeed None = new(0);

    /// <summary>Of every task.</summary>
    public static readonly DefinitionNeed All = new(16);

    /// <summary>
    /// Of which tasks the lifecycle needs more for an event than <see cref="TaskRow.Head"/>: the schedule of a periodic task, the name of
    /// the next task, the rules of its retries.
    /// </summary>
    public static DefinitionNeed Of(TaskEvent happened) => happened switch
    {
        TaskEvent.GivenBack or TaskEvent.Interrupted or TaskEvent.Claimed => None,
        TaskEvent.QueueDue or TaskEvent.Chained or TaskEvent.Cancelled or TaskEvent.Reset => new((int)TaskTraits.Periodic),
        TaskEvent.CheckWait or TaskEvent.MessageSent => new((int)TaskTraits.Chains),
        TaskEvent.Reported { Report.Outcome: StageOutcome.Done or StageOutcome.Wait } => new((int)TaskTraits.Chains),
        _ => All,
    };

    public bool Includes(TaskTraits traits) => (((int)traits | All.Traits) & Traits) != 0;

    public DefinitionNeed With(DefinitionNeed other) => new(Traits | other.Traits);
}

/// <summary>One task as a step sees it: what was read, and what the step has made of it so far.</summary>
internal sealed class TaskRow
{
    /// <summary>The columns that <see cref="Read"/> reads, in its order, of the definition t and the state s.</summary>
    public const string Columns = $"t.task_no, t.created, t.revision, t.definition, {Rest}";

    /// <summary>The same with the definition of those tasks only that have one of the traits @whole (<see cref="DefinitionNeed"/>).</summary>
    public const string HeldColumns = $"t.task_no, t.created, t.revision, case when (s.traits | 16) & @whole <> 0 then t.definition end, {Rest}";

    /// <summary>How many columns that are.</summary>
    public const int ColumnCount = 43;

    private const string Rest =
        "s.run_no, s.result_run_no, s.results, s.result_bytes, s.state, s.stage, s.job_id, s.pass, s.result_run, s.result_pass, s.retries, s.interruptions, s.queued_at, s.exec_deadline, "
        + "s.wait, s.wait_deadline, s.next_run, s.retry_at, s.status_change, s.executor_id, s.claim, s.report_claim, s.report_stage, s.report_kind, "
        + "s.exit_code, s.error, s.occurrence, s.skipped, s.chain, s.bytes, t.id, t.app, s.priority, s.enabled, s.stages, s.traits, s.max_exec, t.user_id, t.group_name";

    /// <summary>The columns of the state, each by the name of its argument.</summary>
    public static readonly Column<TaskRow>[] StateColumns =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo),
        new("app", ColumnType.Text, row => row.Head.AppName),
        new("priority", ColumnType.Integer, row => row.Head.Priority),
        new("enabled", ColumnType.Flag, row => row.Head.Enabled),
        new("stages", ColumnType.Integer, row => row.Head.Commands.Count),
        new("traits", ColumnType.Integer, row => (int)row.Traits),
        new("max_exec", ColumnType.Long, row => row.Head.MaxExecTimeout!.Value.Ticks),
        new("created", ColumnType.Long, row => Ticks.Of(row.Created)),
        new("bytes", ColumnType.Long, row => row.Bytes),
        new("revision", ColumnType.Integer, row => row.Revision),
        new("run_no", ColumnType.Integer, row => row.RunNo),
        new("result_run_no", ColumnType.Integer, row => row.ResultRunNo),
        new("results", ColumnType.Integer, row => row.Results),
        new("result_bytes", ColumnType.Long, row => row.ResultBytes),
        new("state", ColumnType.Integer, row => (int)row.State.State),
        new("stage", ColumnType.Integer, row => row.State.Stage),
        new("job_id", ColumnType.Text, row => row.State.JobId),
        new("pass", ColumnType.Integer, row => row.State.Pass),
        new("result_run", ColumnType.Text, row => row.State.ResultRun == row.State.JobId ? null : row.State.ResultRun),
        new("result_pass", ColumnType.Integer, row => row.State.ResultPass),
        new("retries", ColumnType.Integer, row => row.State.Retries),
        new("interruptions", ColumnType.Integer, row => row.State.Interruptions),
        new("queued_at", ColumnType.Long, row => Ticks.Of(row.State.QueuedAt)),
        new("exec_deadline", ColumnType.Long, row => Ticks.Of(row.State.ExecDeadline)),
        new("wait", ColumnType.Integer, row => (int)row.State.Wait),
        new("wait_deadline", ColumnType.Long, row => Ticks.Of(row.State.WaitDeadline)),
        new("next_run", ColumnType.Long, row => Ticks.Of(row.State.NextRun)),
        new("retry_at", ColumnType.Long, row => Ticks.Of(row.State.RetryAt)),
        new("status_change", ColumnType.Long, row => Ticks.Of(row.State.StatusChange)),
        new("executor_id", ColumnType.Text, row => row.State.ExecutorId),
        new("claim", ColumnType.Uuid, row => row.State.Claim),
        new("report_claim", ColumnType.Uuid, row => row.State.LastReport?.Claim),
        new("report_stage", ColumnType.Integer, row => row.State.LastReport?.Stage),
        new("report_kind", ColumnType.Integer, row => (int?)row.State.LastReport?.Kind),
        new("exit_code", ColumnType.Integer, row => (int?)row.State.ExitCode),
        new("error", ColumnType.Text, row => row.State.Error?.Json.GetRawText()),
        new("occurrence", ColumnType.Long, row => Ticks.Of(row.State.Occurrence)),
        new("skipped", ColumnType.Long, row => row.State.Skipped),
        new("chain", ColumnType.Integer, row => (int)row.State.Chain),
        new("duty", ColumnType.Integer, row => (int?)row.Due?.Duty),
        new("due", ColumnType.Long, row => Ticks.Of(row.Due?.At)),
        new("overdue", ColumnType.Long, row => Ticks.Of(row.Overdue)),
        new("ended", ColumnType.Long, row => TaskLifecycle.IsDisposable(row.Head, row.State) ? Ticks.Of(row.State.StatusChange) : null),
    ];

    /// <summary>The columns of the definition, each by the name of its argument.</summary>
    public static readonly Column<TaskRow>[] DefinitionColumns =
    [
        new("id", ColumnType.Text, row => row.Id),
        new("creation", ColumnType.Uuid, row => row.Creation),
        new("created", ColumnType.Long, row => Ticks.Of(row.Created)),
        new("revision", ColumnType.Integer, row => row.Revision),
        new("app", ColumnType.Text, row => row.Definition.AppName),
        new("group_name", ColumnType.Text, row => row.Definition.Group),
        new("group_id", ColumnType.Text, row => row.Definition.GroupId),
        new("user_id", ColumnType.Text, row => row.Definition.UserId),
        new("is_periodic", ColumnType.Flag, row => row.Definition.Cron is not null),
        new("definition", ColumnType.Text, row => row.Definition.ToStoredJson()),
    ];

    /// <summary>
    /// What a new task's row has that another one's has not; everything else of it follows from the time of its creation. Times are
    /// counted from that time if its state was made as of the beginning of time.
    /// </summary>
    public static readonly Column<TaskRow>[] NewColumns =
    [
        .. DefinitionColumns.Where(column => column.Name is not ("created" or "revision")),
        .. StateColumns.Where(column => column.Name is "priority" or "enabled" or "stages" or "traits" or "max_exec" or "bytes" or "state" or "job_id" or "queued_at" or "exec_deadline" or "next_run" or "duty" or "due" or "overdue"),
    ];

    private static readonly TaskCommand _unknownCommand = new("");

    private TaskDefinition? _definition;
    private byte[]? _stored;
    private long? _bytes;
    private DateTimeOffset? _droppedAt;

    public long TaskNo { get; set; }

    public Guid Creation { get; init; }

    /// <summary>The definition, read when it is needed: a task whose definition this version cannot read can be given back, cancelled and deleted.</summary>
    /// <exception cref="JsonException">This version cannot read it.</exception>
    public TaskDefinition Definition
    {
        get => _definition ??= ReadDefinition();
        set => (_definition, Head, _bytes) = (value, value, null);
    }

    /// <summary>What the columns know of the definition. For members without a column it says nothing, or only that there is something.</summary>
    public TaskDefinition Head { get; private set; } = null!;

    public required ManagedState State { get; set; }

    public required DateTimeOffset Created { get; init; }

    public required LifecycleRules Rules { get; init; }

    public int Revision { get; set; }

    /// <summary>The current run's number: runs are counted for each task, so that rows need not repeat the run's id.</summary>
    public int RunNo { get; set; } = 1;

    /// <summary>The number of the run whose results are shown.</summary>
    public int ResultRunNo { get; set; } = 1;

    /// <summary>How many results are shown.</summary>
    public int Results { get; set; }

    /// <summary>And how many bytes they are.</summary>
    public long ResultBytes { get; set; }

    public string Id => Head.Id!;

    /// <summary>About how many bytes of definition travel with a claim.</summary>
    public long Bytes => _bytes ??= SizeOf(Definition);

    private TaskTraits Traits =>
        (Head.Cron is null ? 0 : TaskTraits.Periodic)
        | (Head.System ? TaskTraits.System : 0)
        | (Head.Notify ? TaskTraits.Notifies : 0)
        | (Head.NextTask is null ? 0 : TaskTraits.Chains);

    private DueDuty? Due => DueDuty.Of(Head, State) is { } due && !(due.At <= _droppedAt) ? due : null;

    private DateTimeOffset? Overdue => TaskLifecycle.OverdueFrom(Head, State, Rules) is { } overdue && !(overdue <= _droppedAt) ? overdue : null;

    public static TaskRow Read(DbDataReader row, LifecycleRules rules)
    {
        var jobId = row.GetString(10);
        return new TaskRow
        {
            Rules = rules,
            TaskNo = row.GetInt64(0),
            Created = row.Time(1),
            Revision = row.GetInt32(2),
            _stored = row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3),
            Head = ReadHead(row),
            RunNo = row.GetInt32(4),
            ResultRunNo = row.GetInt32(5),
            Results = row.GetInt32(6),
            ResultBytes = row.GetInt64(7),
            State = new ManagedState
            {
                State = Known<TaskState>(row.GetInt32(8)),
                Stage = row.GetInt32(9),
                JobId = jobId,
                Pass = row.GetInt32(11),
                ResultRun = row.TextOrNull(12) ?? jobId,
                ResultPass = row.GetInt32(13),
                Retries = row.GetInt32(14),
                Interruptions = row.GetInt32(15),
                QueuedAt = row.TimeOrNull(16),
                ExecDeadline = row.TimeOrNull(17),
                Wait = Known<WaitKind>(row.GetInt32(18)),
                WaitDeadline = row.TimeOrNull(19),
                NextRun = row.TimeOrNull(20),
                RetryAt = row.TimeOrNull(21),
                StatusChange = row.Time(22),
                ExecutorId = row.TextOrNull(23),
                Claim = row.UuidOrNull(24),
                LastReport = row.UuidOrNull(25) is { } claim ? new ReportId(claim, row.GetInt32(26), (ReportKind)row.GetInt32(27)) : null,
                ExitCode = (TaskExitCode?)row.IntegerOrNull(28),
                Error = row.ErrorOrNull(29),
                Occurrence = row.TimeOrNull(30),
                Skipped = row.GetInt64(31),
                Chain = (ChainResult)row.GetInt32(32),
            },
            _bytes = row.GetInt64(33),
        };
    }

    /// <summary>True if a caller of this scope may reach the task; null for every scope.</summary>
    public bool IsIn(TaskScope? scope) => scope?.Includes(Head.AppName, Head.Group, Head.UserId) != false;

    /// <summary>What the lifecycle is to know of the definition for an event.</summary>
    public TaskDefinition DefinitionFor(TaskEvent happened) => _definition ?? (DefinitionNeed.Of(happened).Includes(Traits) ? Definition : Head);

    /// <summary>Whether what was loaded is enough for this need.</summary>
    public bool Has(DefinitionNeed need) => _definition is not null || _stored is not null || !need.Includes(Traits);

    /// <summary>Takes the definition of the same row that was loaded for a greater need.</summary>
    public void TakeDefinitionOf(TaskRow loaded) => _stored = loaded._stored;

    /// <summary>What there was to do at this time is nothing, until something else happens to the task.</summary>
    public void Drop(DateTimeOffset now) => _droppedAt = now;

    public TaskRecord Snapshot(IReadOnlyList<JsonElement> results) => new()
    {
        Definition = Definition,
        Managed = State with { Claim = null, LastReport = null },
        Created = Created,
        Revision = Revision,
        Result = results,
    };

    /// <summary>About how many bytes a definition has.</summary>
    public static long SizeOf(TaskDefinition definition) => SizeOf(definition.KwsJson) + SizeOf(definition.MetaJson)
        + definition.Commands.Sum(command => SizeOf(command.ParamsJson) + SizeOf(command.Condition?.Json ?? default));

    public static long SizeOf(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(json).Length;

    private static TaskDefinition ReadHead(DbDataReader row)
    {
        var traits = (TaskTraits)row.GetInt32(39);
        return new TaskDefinition
        {
            Id = row.GetString(34),
            AppName = row.GetString(35),
            Priority = row.GetInt32(36),
            Enabled = row.GetBoolean(37),
            Commands = [.. Enumerable.Repeat(_unknownCommand, row.GetInt32(38))],
            Cron = traits.HasFlag(TaskTraits.Periodic) ? "" : null,
            System = traits.HasFlag(TaskTraits.System),
            Notify = traits.HasFlag(TaskTraits.Notifies),
            NextTask = traits.HasFlag(TaskTraits.Chains) ? "" : null,
            MaxExecTimeout = TimeSpan.FromTicks(row.GetInt64(40)),
            UserId = row.TextOrNull(41),
            Group = row.TextOrNull(42),
        };
    }

    private TaskDefinition ReadDefinition()
    {
        if (_stored is null)
        {
            throw new InvalidOperationException($"The definition of task \"{Id}\" is needed and was not loaded.");
        }

        return ReaderExtensions.ParseDefinition(_stored, Id, Head.AppName!);
    }

    private static T Known<T>(int value)
        where T : struct, Enum
    {
        var known = (T)(object)value;
        return Enum.IsDefined(known) ? known : throw new InvalidDataException($"{typeof(T).Name} {value} is not known to this version.");
    }
}
