using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Every column of a task, declared once: its name, how it is written and read, and its value in a new task. Statements
/// get their lists of columns from here (<see cref="ColumnWords"/>), and ordinals are places in these lists. See
/// docs/decisions/0015.
/// </summary>
internal static class TaskRowColumns
{
    private static readonly TaskCommand _unknownCommand = new("");
    private static readonly Member<TaskDefinition, IReadOnlyList<TaskCommand>> _commands =
        OfDefinition<IReadOnlyList<TaskCommand>>(nameof(TaskDefinition.Commands));
    private static readonly Member<ManagedState, int> _retries = new(nameof(ManagedState.Retries));
    private static readonly Member<ManagedState, int> _freeRetries = new(nameof(ManagedState.FreeRetries));
    private static readonly Member<ManagedState, string> _resultRun = new(nameof(ManagedState.ResultRun));
    private static readonly Member<ManagedState, ReportId?> _lastReport = new(nameof(ManagedState.LastReport));

    /// <summary>The columns of the definition.</summary>
    public static readonly Column<TaskRow>[] Definition =
    [
        Head("id", nameof(TaskDefinition.Id), Stored.TextOrNull, isFixed: true),
        new("creation", ColumnType.Uuid, row => row.Creation) { OfNew = NewValue.Given, IsFixed = true },
        Row("created", nameof(TaskRow.Created), Stored.Time, NewValue.Clock, isFixed: true),
        Row("revision", nameof(TaskRow.Revision), Stored.Integer, NewValue.Zero),
        Head("app", nameof(TaskDefinition.AppName), Stored.TextOrNull),
        Head("group_name", nameof(TaskDefinition.Group), Stored.TextOrNull),
        Head("group_id", nameof(TaskDefinition.GroupId), Stored.TextOrNull),
        Head("user_id", nameof(TaskDefinition.UserId), Stored.TextOrNull),
        new("is_periodic", ColumnType.Flag, row => row.Definition.Cron is not null) { OfNew = NewValue.Given },
        new("definition", ColumnType.Text, row => row.Definition.ToStoredJson())
        {
            Read = (row, reader, place) =>
                row.KeepStored(reader.IsDBNull(place) ? null : reader.GetFieldValue<byte[]>(place)),
            OfNew = NewValue.Given,
        },

        // The newest definition, if its work waits for the next run. See docs/decisions/0020.
        new("waiting", ColumnType.Text, TaskRow.WriteWaiting)
        {
            Read = (row, reader, place) =>
                row.KeepStoredWaiting(reader.IsDBNull(place) ? null : reader.GetFieldValue<byte[]>(place)),
        },
        Row("version", nameof(TaskRow.Version), Stored.LongOrNull, NewValue.Null),
    ];

    /// <summary>The columns of the state.</summary>
    public static readonly Column<TaskRow>[] State =
    [
        Row("task_no", nameof(TaskRow.TaskNo), Stored.Long, NewValue.Number, isFixed: true),
        new("app", ColumnType.Text, row => row.Head.AppName) { OfNew = NewValue.Given },
        Head("priority", nameof(TaskDefinition.Priority), Stored.Integer),
        Head("enabled", nameof(TaskDefinition.Enabled), Stored.Flag),
        new("stages", ColumnType.Integer, row => row.Head.Commands.Count)
        {
            Read = (row, reader, place) => _commands.Set(
                row.Head, [.. Enumerable.Repeat(_unknownCommand, reader.GetInt32(place))]),
            OfNew = NewValue.Given,
        },
        new("traits", ColumnType.Integer, row => (int)row.Traits)
        {
            Read = (row, reader, place) => row.ReadTraits((TaskTraits)reader.GetInt32(place)),
            OfNew = NewValue.Given,
        },
        Head("max_exec", nameof(TaskDefinition.MaxExecTimeout), Stored.Span),
        new("created", ColumnType.Long, row => Ticks.Of(row.Created)) { OfNew = NewValue.Clock, IsFixed = true },
        new("bytes", ColumnType.Long, row => row.Bytes)
        {
            Read = (row, reader, place) => row.KeepBytes(reader.GetInt64(place)),
            OfNew = NewValue.Given,
        },
        new("revision", ColumnType.Integer, row => row.Revision) { OfNew = NewValue.Zero },
        Row("run_no", nameof(TaskRow.RunNo), Stored.Integer, NewValue.One),
        Row("result_run_no", nameof(TaskRow.ResultRunNo), Stored.Integer, NewValue.One),
        Row("results", nameof(TaskRow.Results), Stored.Integer, NewValue.Zero),
        Row("result_bytes", nameof(TaskRow.ResultBytes), Stored.Long, NewValue.Zero),
        Managed("state", nameof(ManagedState.State), Stored.Known<TaskState>(), NewValue.Given),
        Managed("stage", nameof(ManagedState.Stage), Stored.Integer, NewValue.Zero),
        Managed("job_id", nameof(ManagedState.JobId), Stored.Text, NewValue.Given),
        Managed("pass", nameof(ManagedState.Pass), Stored.Integer, NewValue.Zero),

        // Null if it is the current run, as it nearly always is. Read after that run.
        new("result_run", ColumnType.Text, row => row.State.ResultRun == row.State.JobId ? null : row.State.ResultRun)
        {
            Read = (row, reader, place) => _resultRun.Set(row.State, reader.TextOrNull(place) ?? row.State.JobId),
        },
        Managed("result_pass", nameof(ManagedState.ResultPass), Stored.Integer, NewValue.Zero),

        // All retries of the run, as versions without free_retries count them.
        new("retries", ColumnType.Integer, row => row.State.Attempt - 1)
        {
            Read = (row, reader, place) => _retries.Set(row.State, reader.GetInt32(place)),
            OfNew = NewValue.Zero,
        },
        Managed("interruptions", nameof(ManagedState.Interruptions), Stored.Integer, NewValue.Zero),
        Managed("queued_at", nameof(ManagedState.QueuedAt), Stored.TimeOrNull, NewValue.GivenFromClock),
        Managed("exec_deadline", nameof(ManagedState.ExecDeadline), Stored.TimeOrNull, NewValue.GivenFromClock),
        Managed("wait", nameof(ManagedState.Wait), Stored.Any<WaitKind>(), NewValue.Zero),
        Managed("wait_deadline", nameof(ManagedState.WaitDeadline), Stored.TimeOrNull),
        Managed("next_run", nameof(ManagedState.NextRun), Stored.TimeOrNull, NewValue.GivenFromClock),
        Managed("retry_at", nameof(ManagedState.RetryAt), Stored.TimeOrNull),
        Managed("status_change", nameof(ManagedState.StatusChange), Stored.Time, NewValue.Clock),
        Managed("executor_id", nameof(ManagedState.ExecutorId), Stored.TextOrNull),
        Managed("claim", nameof(ManagedState.Claim), Stored.UuidOrNull),
        Report(
            "report_claim",
            Stored.UuidOrNull,
            report => report?.Claim,
            (report, claim) => report with { Claim = claim!.Value }),
        Report(
            "report_stage",
            Stored.IntegerOrNull,
            report => report?.Stage,
            (report, stage) => report with { Stage = stage!.Value }),
        Report(
            "report_kind",
            Stored.AnyOrNull<ReportKind>(),
            report => report?.Kind,
            (report, kind) => report with { Kind = kind!.Value }),
        Managed("exit_code", nameof(ManagedState.ExitCode), Stored.AnyOrNull<TaskExitCode>()),
        Managed("error", nameof(ManagedState.Error), Stored.ErrorOrNull),
        Managed("occurrence", nameof(ManagedState.Occurrence), Stored.TimeOrNull),
        Managed("skipped", nameof(ManagedState.Skipped), Stored.Long, NewValue.Zero),
        Managed("chain", nameof(ManagedState.Chain), Stored.Any<ChainResult>(), NewValue.Zero),

        Managed("hold", nameof(ManagedState.Hold), Stored.Any<TaskHold>(), NewValue.RoutedHold),
        Managed("put_backs", nameof(ManagedState.PutBacks), Stored.Integer, NewValue.Zero),
        Managed("method", nameof(ManagedState.Method), Stored.TextOrNull, NewValue.RoutedMethod),
        Managed("snoozes", nameof(ManagedState.Snoozes), Stored.Integer, NewValue.Zero),
        Managed("stage_retries", nameof(ManagedState.StageRetries), Stored.Integer, NewValue.Zero),

        // Read after all retries.
        new("free_retries", ColumnType.Integer, row => row.State.FreeRetries)
        {
            Read = (row, reader, place) => ReadFreeRetries(row.State, reader.GetInt32(place)),
            OfNew = NewValue.Zero,
        },
        Managed("changes", nameof(ManagedState.Changes), Stored.ChangesOrNull),

        // Tells the step that queues the next run to read the definition that waits for it.
        Row("has_waiting", nameof(TaskRow.HasWaiting), Stored.Flag, NewValue.False),

        // Columns for indices, computed from the others.
        new("duty", ColumnType.Integer, row => (int?)row.Due?.Duty) { OfNew = NewValue.Given },
        new("due", ColumnType.Long, row => Ticks.Of(row.Due?.At)) { OfNew = NewValue.GivenFromClock },
        new("overdue", ColumnType.Long, row => Ticks.Of(row.Overdue)) { OfNew = NewValue.GivenFromClock },
        new("ended", ColumnType.Long, row => Ticks.Of(row.Ended)),
    ];

    /// <summary>
    /// The method of the stage for which the task is queued next, if the statement asks for it. It is read from the
    /// stored definition and has no column of its own.
    /// </summary>
    public static readonly Column<TaskRow> NextMethod = new("next_method", ColumnType.Text, _ => null)
    {
        Read = (row, reader, place) => row.KeepMethod(reader.TextOrNull(place)),
    };

    /// <summary>
    /// The arguments for each task of the statement that creates tasks; the rest of a new task follows from the clock.
    /// </summary>
    public static readonly Column<TaskRow>[] New =
        [.. Definition.Concat(State).Where(IsGiven).DistinctBy(column => column.Name, StringComparer.Ordinal),
        new("route", ColumnType.Integer, row => row.Route)];

    /// <summary>
    /// The columns to read, in order: those of the definition, those of the state, and <see cref="NextMethod"/>.
    /// </summary>
    public static readonly Column<TaskRow>[] Read =
        [.. Definition.Concat(State).Where(column => column.Read is not null), NextMethod];

    /// <summary>
    /// The retries that count against the task's budget, and those that do not. A package that does not know the latter
    /// resets only the number of all retries.
    /// </summary>
    /// <param name="all">The number of all retries of the run.</param>
    /// <param name="free">The stored number of those that do not count.</param>
    public static (int Retries, int FreeRetries) SplitRetries(int all, int free) =>
        (all - Math.Min(all, free), Math.Min(all, free));

    /// <summary>The ordinal of a column that is read.</summary>
    public static int OrdinalOf(string name) => Array.FindIndex(Read, column => column.Name == name);

    private static bool IsGiven(Column<TaskRow> column) => column.OfNew is NewValue.Given or NewValue.GivenFromClock;

    /// <summary>A column that is a property of the row.</summary>
    private static Column<TaskRow> Row<T>(
        string name, string property, Stored<T> stored, NewValue ofNew, bool isFixed = false)
    {
        var member = new Member<TaskRow, T>(property);
        return new(name, stored.Type, row => stored.Write(member.Get(row)))
        {
            Read = (row, reader, place) => member.Set(row, stored.Read(reader, place)),
            OfNew = ofNew,
            IsFixed = isFixed,
        };
    }

    /// <summary>A column that is a property of the definition and of <see cref="TaskRow.Head"/>.</summary>
    private static Column<TaskRow> Head<T>(string name, string property, Stored<T> stored, bool isFixed = false)
    {
        var member = OfDefinition<T>(property);
        return new(name, stored.Type, row => stored.Write(member.Get(row.Head)))
        {
            Read = (row, reader, place) => member.Set(row.Head, stored.Read(reader, place)),
            OfNew = NewValue.Given,
            IsFixed = isFixed,
        };
    }

    /// <summary>A column that is a property of the managed state.</summary>
    private static Column<TaskRow> Managed<T>(
        string name, string property, Stored<T> stored, NewValue ofNew = NewValue.Null)
    {
        var member = new Member<ManagedState, T>(property);
        return new(name, stored.Type, row => stored.Write(member.Get(row.State)))
        {
            Read = (row, reader, place) => member.Set(row.State, stored.Read(reader, place)),
            OfNew = ofNew,
        };
    }

    /// <summary>A column that is a part of the last report.</summary>
    private static Column<TaskRow> Report<T>(
        string name, Stored<T> stored, Func<ReportId?, T> part, Func<ReportId, T, ReportId> with) =>
        new(name, stored.Type, row => stored.Write(part(row.State.LastReport)))
        {
            Read = (row, reader, place) =>
            {
                if (!reader.IsDBNull(place))
                {
                    _lastReport.Set(row.State, with(row.State.LastReport ?? default, stored.Read(reader, place)));
                }
            },
        };

    private static void ReadFreeRetries(ManagedState state, int free)
    {
        var (retries, others) = SplitRetries(state.Retries, free);
        _retries.Set(state, retries);
        _freeRetries.Set(state, others);
    }

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2026",
        Justification = "The properties that serialise any type are not columns and are not called.")]
    private static Member<TaskDefinition, T> OfDefinition<T>(string property) => new(property);
}
