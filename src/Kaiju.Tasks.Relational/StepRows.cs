namespace Kaiju.Tasks.Relational;

/// <summary>A stage's result, or its failure, to be stored.</summary>
internal sealed record EntryRow(long TaskNo, int RunNo, StageEntry Entry)
{
    private static readonly Column<EntryRow>[] _both =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo),
        new("run_no", ColumnType.Integer, row => row.RunNo),
        new("pass", ColumnType.Integer, row => row.Entry.Pass),
        new("stage", ColumnType.Integer, row => row.Entry.Stage),
        new("attempt", ColumnType.Integer, row => row.Entry.Attempt),
        new("started", ColumnType.Long, row => Ticks.Of(row.Entry.Started)),
        new("finished", ColumnType.Long, row => Ticks.Of(row.Entry.Finished)),
        new("claim", ColumnType.Uuid, row => row.Entry.Claim),
    ];

    public static readonly Column<EntryRow>[] ResultColumns = [
        .. _both, new("result", ColumnType.Text, row => row.Entry.Result.GetRawText())];

    public static readonly Column<EntryRow>[] FailureColumns = [
        .. _both, new("error", ColumnType.Text, row => row.Entry.Error!.Json.GetRawText())];
}

/// <summary>A run that has ended and is followed by the next one.</summary>
internal sealed record RunRow(long TaskNo, int RunNo, int Pass, ManagedState State)
{
    public static readonly Column<RunRow>[] Columns =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo),
        new("run_no", ColumnType.Integer, row => row.RunNo),
        new("pass", ColumnType.Integer, row => row.Pass),
        new("job_id", ColumnType.Text, row => row.State.JobId),
        new("state", ColumnType.Integer, row => (int)row.State.State),
        new("exit_code", ColumnType.Integer, row => (int?)row.State.ExitCode),
        new("error", ColumnType.Text, row => row.State.Error?.Json.GetRawText()),
        new("retries", ColumnType.Integer, row => row.State.Attempt - 1),
        new("occurrence", ColumnType.Long, row => Ticks.Of(row.State.Occurrence)),
        new("chain", ColumnType.Integer, row => (int)row.State.Chain),
        new("queued_at", ColumnType.Long, row => Ticks.Of(row.State.QueuedAt)),
        new("ended", ColumnType.Long, row => Ticks.Of(row.State.StatusChange)),
    ];
}

/// <summary>The first results of a pass, which become those of a new pass.</summary>
internal sealed record MovedRow(long TaskNo, int RunNo, int Pass, int NewPass, int Results)
{
    public static readonly Column<MovedRow>[] Columns =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo),
        new("run_no", ColumnType.Integer, row => row.RunNo),
        new("pass", ColumnType.Integer, row => row.Pass),
        new("new_pass", ColumnType.Integer, row => row.NewPass),
        new("stages", ColumnType.Integer, row => row.Results),
    ];
}

/// <summary>A run that had ended and is resumed.</summary>
internal sealed record RestoredRow(long TaskNo, int RunNo)
{
    public static readonly Column<RestoredRow>[] Columns =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo), new("run_no", ColumnType.Integer, row => row.RunNo),
    ];
}

/// <summary>
/// A task whose earlier runs are to be trimmed; rows of runs that are neither kept nor shown are deleted.
/// </summary>
internal sealed record SweepRow(long TaskNo, int ResultRunNo, int KeptRuns)
{
    public static readonly Column<SweepRow>[] Columns =
    [
        new("task_no", ColumnType.Long, row => row.TaskNo),
        new("result_run_no", ColumnType.Integer, row => row.ResultRunNo),
        new("kept", ColumnType.Integer, row => row.KeptRuns),
    ];
}

/// <summary>A notification to be stored, with the results that are shown when the step writes it.</summary>
internal sealed record NotificationRow(TaskRow Task, ManagedState State, int RunNo, int Pass, DateTimeOffset Now)
{
    public static readonly Column<NotificationRow>[] Columns =
    [
        new("task_no", ColumnType.Long, row => row.Task.TaskNo),
        new("run_no", ColumnType.Integer, row => row.RunNo),
        new("pass", ColumnType.Integer, row => row.Pass),
        new("task_id", ColumnType.Text, row => row.Task.Id),
        new("job_id", ColumnType.Text, row => row.State.JobId),
        new("user_id", ColumnType.Text, row => row.Task.Head.UserId),
        new("state", ColumnType.Integer, row => (int)row.State.State),
        new("is_final", ColumnType.Flag, row => row.State.HasEnded),
        new("exit_code", ColumnType.Integer, row => (int?)row.State.ExitCode),
        new("error", ColumnType.Text, row => row.State.Error?.Json.GetRawText()),
        new("created", ColumnType.Long, row => Ticks.Of(row.Now)),
    ];
}
