using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>One sequence: the host's rules, and the steps.</summary>
internal sealed record ModelSequence(RuleSet Rules, IReadOnlyList<ModelStep> Steps);

internal enum RuleSet
{
    Plain,
    QueuedCanBeOverdue,
    SuspendedForTenSeconds,
    MissedRunsAreSkipped,
}

/// <summary>
/// One call of a store, as data alone. Tasks, executors and claims are named by numbers with a meaning in every state,
/// such as "the second EXECUTED task". So a sequence still makes sense when steps are left out.
/// </summary>
internal abstract record ModelStep
{
    /// <summary>Simpler forms of the step, to try when a sequence is shortened.</summary>
    public virtual IEnumerable<ModelStep> Simpler() => [];

    protected static IEnumerable<IReadOnlyList<T>> WithoutOne<T>(IReadOnlyList<T> items) =>
        items.Count < 2
            ? []
            : items.Select((_, place) => (IReadOnlyList<T>)[.. items.Where((_, other) => other != place)]);

    /// <summary>The step's text in a failing sequence.</summary>
    public abstract override string ToString();
}

internal sealed record CreateStep(IReadOnlyList<(int Id, int Shape)> Tasks, OnConflict OnConflict) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() => WithoutOne(Tasks).Select(tasks => this with { Tasks = tasks });

    public override string ToString()
    {
        var tasks = Tasks.Select(task => $"{ModelDefinitions.Ids[task.Id]} ({ModelDefinitions.Names[task.Shape]})");
        return $"create {string.Join(", ", tasks)}; on conflict {OnConflict}";
    }
}

/// <summary>Imports a stored task of the Python original, or a copy of one of the store's own.</summary>
internal sealed record ImportStep(int Id, int Foreign, int? CopyOf, bool WithPing) : ModelStep
{
    public override string ToString()
    {
        var origin = CopyOf is { } copy
            ? $"a copy of {ModelDefinitions.Ids[copy]}"
            : ModelDefinitions.ForeignNames[Foreign];
        return $"import {ModelDefinitions.Ids[Id]} as {origin}{(WithPing ? " with its executor's ping" : "")}";
    }
}

internal sealed record UpdateStep(int Id, int Change, bool IsStale) : ModelStep
{
    public override string ToString() => $"update {ModelDefinitions.Ids[Id]}: "
        + $"{ModelDefinitions.ChangeNames[Change]}{(IsStale ? ", from an old revision" : "")}";
}

/// <summary>Creates a task as in a deployment, or updates the stored one.</summary>
internal sealed record UpsertStep(int Id, int Shape, int Change, long? Version) : ModelStep
{
    public override string ToString() => $"upsert {ModelDefinitions.Ids[Id]} ({ModelDefinitions.Names[Shape]}): "
        + $"{ModelDefinitions.ChangeNames[Change]}{(Version is { } version ? $", version {version}" : "")}";
}

internal enum OutsideVerb
{
    Cancel,
    Reset,
    Delete,
    Message,
}

internal sealed record OutsideStep(OutsideVerb Verb, int Id) : ModelStep
{
    public override string ToString() => $"{Verb} {ModelDefinitions.Ids[Id]}";
}

/// <summary>Several calls about one task: the effect of one is often visible only through the next.</summary>
internal sealed record SeriesStep(IReadOnlyList<OutsideVerb> Verbs, int Id) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() => WithoutOne(Verbs).Select(verbs => this with { Verbs = verbs });

    public override string ToString() => $"{string.Join(", ", Verbs)} {ModelDefinitions.Ids[Id]}";
}

/// <summary>
/// A client retries a task. Before it, the run may be cancelled, and a manager may begin the next run of periodic
/// tasks.
/// </summary>
internal sealed record RetryStep(int Id, bool CancelsFirst, bool RestartsFirst, int Change) : ModelStep
{
    /// <summary>The changes of a retry; null for none.</summary>
    public static IReadOnlyList<RetryChange?> Changes { get; } =
    [
        null,
        new RetryChange(),
        new RetryChange { FromStage = 0 },
        new RetryChange { FromStage = 1, Params = Json.Of("""{"changed":1}""") },
        new RetryChange { Params = Json.Of("""["other"]"""), Kws = Json.Of("""{"changed":[2]}""") },
    ];

    public override IEnumerable<ModelStep> Simpler() =>
        CancelsFirst || RestartsFirst ? [this with { CancelsFirst = false, RestartsFirst = false }]
        : Change > 0 ? [this with { Change = 0 }]
        : [];

    public override string ToString() => $"{(CancelsFirst ? "cancel and " : "")}"
        + $"{(RestartsFirst ? "restart and " : "")}retry {ModelDefinitions.Ids[Id]} with change {Change}";
}

/// <summary>A client changes all tasks in a state, in steps of a number of tasks.</summary>
internal sealed record BulkStep(BulkVerb Verb, TaskState State, bool NewestFirst, int Limit, bool DryRun) : ModelStep
{
    public override string ToString() => $"{(DryRun ? "count to " : "")}{Verb} all {State} tasks, {Limit} at a time"
        + $"{(NewestFirst ? ", the newest first" : "")}";
}

internal sealed record DeleteEndedStep(TaskState State, TimeSpan Age, int Limit) : ModelStep
{
    public override string ToString() => $"delete tasks that became {State} {Age} ago, at most {Limit}";
}

internal sealed record AdvanceStep(TimeSpan By) : ModelStep
{
    public override string ToString() => $"the clock moves forward by {By}";
}

internal sealed record PutBackStep(TimeSpan By) : ModelStep
{
    public override string ToString() => $"the clock moves back by {By}";
}

internal sealed record ClaimNextStep(int Executor, int MaxTasks, long MaxBytes) : ModelStep
{
    public override string ToString() => $"executor {Executor} claims {MaxTasks} tasks of {MaxBytes} bytes";
}

internal sealed record ClaimByIdStep(int Executor, IReadOnlyList<int> Ids) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() => WithoutOne(Ids).Select(ids => this with { Ids = ids });

    public override string ToString() =>
        $"executor {Executor} claims {string.Join(", ", Ids.Select(id => ModelDefinitions.Ids[id]))} by id";
}

internal enum ReportBy
{
    Holder,
    HolderOfBefore,
    HolderOfAnother,
    Nobody,
    HolderAtNextStage,
    HolderAtStageBefore,
    Repeated,
}

/// <summary>A report about an EXECUTED task, or one that was recorded before.</summary>
internal sealed record ReportSpec(int Nth, ReportBy By, StageOutcome Outcome, TimeSpan Elapsed)
{
    public override string ToString() =>
        By == ReportBy.Repeated ? $"#{Nth} repeated" : $"#{Nth} by {By}: {Show(Outcome)}";

    private static string Show(StageOutcome outcome) => outcome switch
    {
        StageOutcome.Done done => done.Result.GetRawText(),
        StageOutcome.Failure failure => $"failed ({failure.ExitCode}"
            + $"{(failure.IsFinal ? ", final" : "")}{(failure.RetryAfter is { } delay ? $", retry in {delay}" : "")})",
        StageOutcome.Wait wait => $"waits for {wait.For} {wait.Duration}",
        StageOutcome.Unknown unknown => $"does not know {unknown.Method}",
        _ => outcome.GetType().Name,
    };
}

internal sealed record ReportStep(IReadOnlyList<ReportSpec> Reports) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() =>
        WithoutOne(Reports).Select(reports => this with { Reports = reports });

    public override string ToString() => $"report {string.Join("; ", Reports)}";
}

/// <summary>An executor puts a task back several times, under these names of its method.</summary>
internal sealed record MissStep(int Executor, int Id, IReadOnlyList<string> Methods) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() =>
        WithoutOne(Methods).Select(methods => this with { Methods = methods });

    public override string ToString() =>
        $"executor {Executor} claims {ModelDefinitions.Ids[Id]} by id and does not know {string.Join(", ", Methods)}";
}

/// <summary>Pauses an app, a method or a method of an app, for a time or until it is resumed.</summary>
internal sealed record PauseStep(string? App, string? Method, TimeSpan? For) : ModelStep
{
    public override string ToString() => $"pause {Method ?? "all"} of {App ?? "all apps"} for {For}";
}

internal sealed record ResumeStep(string? App, string? Method) : ModelStep
{
    public override string ToString() => $"resume {Method ?? "all"} of {App ?? "all apps"}";
}

/// <summary>Repairs holds once, or until all are right.</summary>
internal sealed record RepairStep(int Limit, bool ToEnd) : ModelStep
{
    public override string ToString() => $"repair holds, at most {Limit}{(ToEnd ? ", until all are right" : "")}";
}

internal enum ManagerVerb
{
    Expel,
    AbortOverdue,
    RestartPeriodic,
    WakeWaits,
    QueueDue,
    RequeueFailed,
}

internal sealed record ManagerStep(ManagerVerb Verb, int Limit) : ModelStep
{
    public override string ToString() => $"manager: {Verb}, at most {Limit}";
}

internal sealed record TickStep : ModelStep
{
    public override string ToString() => "manager: all duties";
}

/// <summary>
/// All pending work in one step, so that sequences get far: the duties, a ping, a claim of all tasks, and a report for
/// each.
/// </summary>
internal sealed record DriveStep(StageOutcome Outcome) : ModelStep
{
    public override IEnumerable<ModelStep> Simpler() => [new TickStep()];

    public override string ToString() =>
        "all duties, executor 1 pings and claims all, all report "
            + $"{new ReportSpec(0, ReportBy.Holder, Outcome, TimeSpan.Zero)}";
}

internal enum ExecutorVerb
{
    Heartbeat,
    FindLost,
    GiveBackStray,
    Suspend,
}

/// <summary>
/// A call of an executor about its claims. It may have forgotten some of them, and may list others that it has lost.
/// </summary>
internal sealed record ExecutorStep(ExecutorVerb Verb, int Executor, int Forgotten, int Old) : ModelStep
{
    public override string ToString() =>
        $"executor {Executor}: {Verb}, without {Forgotten} claims that it holds, with {Old} that it has lost";
}

/// <summary>Reads a page of tasks. Each bit of the filters adds one condition.</summary>
internal sealed record ListStep(int Filters, TaskState State, int Value, int? After, int Limit) : ModelStep
{
    public override string ToString() => $"list {Filters:b} {State} {Value} after {After}, at most {Limit}";
}

internal sealed record MarkStep(int Nth, bool AsDelivered) : ModelStep
{
    public override string ToString() =>
        $"mark every fourth notification from {Nth} on as {(AsDelivered ? "delivered" : "read")}";
}

internal sealed record NotificationsStep(int? User, int? Id, bool? IsRead, int? Before, int Limit) : ModelStep
{
    public override string ToString() =>
        $"list notifications of user {User}, of task {Id}, read {IsRead}, before {Before}, at most {Limit}";
}
