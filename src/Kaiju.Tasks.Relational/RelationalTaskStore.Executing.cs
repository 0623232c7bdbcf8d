using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>What executors ask.</content>
internal abstract partial class RelationalTaskStore
{
    /// <summary>The name of claiming, for what is set aside.</summary>
    protected const string Claiming = "claim";

    /// <summary>How often a claim is repeated at once when all that it took was set aside.</summary>
    protected const int MostRepeatedClaims = 20;

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        HashSet<Guid> tried = [];
        return WriteAsync(
            async step =>
            {
                // What an earlier try may hold is waited for.
                var ids = step is { PassesOver: true, IsRepeated: false } ? await step.HoldFreeAsync(taskIds).ConfigureAwait(false) : taskIds.Distinct();
                var rows = await step.LoadAsync("load_by_ids", DefinitionNeed.All, Argument.Texts("ids", ids)).ConfigureAwait(false);
                step.Unreadable.ForEach(fault => Leave(Claiming, fault));
                return await ClaimAsync(step, executor, rows, tried).ConfigureAwait(false);
            },
            cancellationToken);
    }

    public virtual ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        WriteAsync(step => RecordAllAsync(step, reports), cancellationToken);

    public virtual ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        WriteAsync(
            async step =>
            {
                await PingAsync(step, executor).ConfigureAwait(false);
                return await LostAsync(step, claims).ConfigureAwait(false);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<ExecutorPing>>(
        async step => await step.QueryAsync("list_executors", row => new ExecutorPing(row.GetString(0), row.Time(1))).ConfigureAwait(false), cancellationToken);

    public virtual ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        ReadAsync(step => LostAsync(step, claims), cancellationToken);

    public virtual ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken)
    {
        var claims = known.Select(held => held.Claim).ToHashSet();
        return MoveHeldAsync(executorId, row => !claims.Contains(row.State.Claim!.Value), null, cancellationToken);
    }

    public virtual ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        ReadAsync(step => StraysAsync(step, executorId, known, limit), cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        var given = claims.ToHashSet();
        return MoveHeldAsync(executorId, row => given.Contains(new HeldClaim(row.Id, row.State.Claim!.Value)), null, cancellationToken);
    }

    public virtual ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken) => MoveHeldAsync(
        executorId,
        _ => true,
        async (step, isWhole) =>
        {
            // After its tasks. One that still holds something stays known, so that it is found dead.
            if (isWhole)
            {
                await step.FlushAsync().ConfigureAwait(false);
                await step.ExecuteAsync("delete_executor", Argument.Text("executor", executorId)).ConfigureAwait(false);
            }
        },
        cancellationToken);

    /// <summary>Claims what is queued: by priority, then by age, no more than is asked for.</summary>
    internal abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>True if there is something to claim, beside what is set aside.</summary>
    internal ValueTask<bool> HasQueuedAsync(IReadOnlyList<string> apps, CancellationToken cancellationToken) => ReadAsync(
        async step => (await step.QueryAsync(WithoutSetAside(step.Sql["has_queued"]), row => row.GetBoolean(0), Argument.Texts("apps", apps), Except(Claiming)).ConfigureAwait(false))[0], cancellationToken);

    protected static async ValueTask<IReadOnlyList<Guid>> LostAsync(SqlStep step, IReadOnlyList<HeldClaim> claims)
    {
        if (claims.Count == 0)
        {
            return [];
        }

        var held = await step.QueryAsync(
            "held_claims",
            row => row.GetGuid(0),
            Argument.Texts("ids", claims.Select(claim => claim.TaskId)),
            Argument.Uuids("claims", claims.Select(claim => claim.Claim))).ConfigureAwait(false);
        return [.. claims.Select(claim => claim.Claim).Except(held)];
    }

    protected static async ValueTask<IReadOnlyList<HeldClaim>> StraysAsync(SqlStep step, string executorId, IReadOnlyList<HeldClaim> known, int limit) =>
        await step.QueryAsync(
            "stray_claims",
            row => new HeldClaim(row.GetString(0), row.GetGuid(1)),
            Argument.Text("executor", executorId),
            Argument.Uuids("claims", known.Select(claim => claim.Claim)),
            Argument.Integer("most", limit)).ConfigureAwait(false);

    protected static async ValueTask PingAsync(SqlStep step, ExecutorInfo executor) => await step.ExecuteAsync(
        "set_ping", Argument.Text("executor", executor.Id), Argument.Long("ping", Ticks.Of(await step.NowAsync().ConfigureAwait(false)))).ConfigureAwait(false);

    /// <summary>Claims what is QUEUED, and finds again what a try whose answer was lost has claimed.</summary>
    /// <param name="step">The step.</param>
    /// <param name="executor">The executor.</param>
    /// <param name="rows">The tasks.</param>
    /// <param name="tried">The claims of all tries, to which those of this one are added.</param>
    private async ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(SqlStep step, ExecutorInfo executor, IReadOnlyList<TaskRow> rows, HashSet<Guid> tried)
    {
        var claimed = new List<ExecutorTask>();
        foreach (var row in rows.Where(IsReadable))
        {
            var isOwn = row.State.Claim is { } held && tried.Contains(held);
            if (isOwn || await step.HappenAsync(row, new TaskEvent.Claimed(executor.Id, ids.NewId())).ConfigureAwait(false))
            {
                tried.Add(row.State.Claim!.Value);
                var results = row.Results == 0
                    ? []
                    : (await step.QueryAsync(
                        "results_of", reader => reader.Results(0),
                        Argument.Long("task_no", row.TaskNo), Argument.Integer("run_no", row.ResultRunNo), Argument.Integer("pass", row.State.ResultPass)).ConfigureAwait(false))[0];
                claimed.Add(ExecutorTask.Of(row.Definition, row.State, results, await step.NowAsync().ConfigureAwait(false), row.TaskNo));
            }
        }

        if (claimed.Count > 0)
        {
            // Known from its first claim on, so that it is found dead if it dies before its first ping.
            await step.ExecuteAsync(
                "know_executor", Argument.Text("executor", executor.Id), Argument.Long("ping", Ticks.Of(await step.NowAsync().ConfigureAwait(false)))).ConfigureAwait(false);
        }

        return claimed;
    }

    protected static async ValueTask<IReadOnlyList<ReportAnswer>> RecordAllAsync(SqlStep step, IReadOnlyList<StageReport> reports)
    {
        var need = reports.Aggregate(DefinitionNeed.None, (need, report) => need.With(DefinitionNeed.Of(new TaskEvent.Reported(report))));
        var rows = (await step.LoadAsync("load_by_ids", need, Argument.Texts("ids", reports.Select(report => report.TaskId).Distinct())).ConfigureAwait(false))
            .ToDictionary(row => row.Id, StringComparer.Ordinal);
        var answers = new ReportAnswer[reports.Count];
        foreach (var (place, report) in reports.Index())
        {
            var happened = new TaskEvent.Reported(report);
            answers[place] = rows.GetValueOrDefault(report.TaskId) is { } row
                && (await step.HappenAsync(row, happened).ConfigureAwait(false) || await IsRecordedAsync(step, row, happened).ConfigureAwait(false))
                ? ReportAnswer.Recorded
                : ReportAnswer.Superseded;
        }

        return answers;
    }

    /// <summary>About how many bytes a report brings.</summary>
    protected static long SizeOf(StageReport report) => report.Outcome is StageOutcome.Done { Result: var result } ? TaskRow.SizeOf(result) : 0;

    /// <summary>The places of reports that a statement may record by itself: of a stage that is done, the only ones about their tasks. Several about one task are decided one after the other, in their order.</summary>
    protected static List<int> DoneAlone(IReadOnlyList<StageReport> reports)
    {
        var (seen, twice) = (new HashSet<string>(reports.Count, StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var report in reports)
        {
            if (!seen.Add(report.TaskId))
            {
                twice.Add(report.TaskId);
            }
        }

        var places = new List<int>(reports.Count);
        for (var place = 0; place < reports.Count; place++)
        {
            if (reports[place] is { Outcome: StageOutcome.Done, StoreKey: not 0 } report && !twice.Contains(report.TaskId))
            {
                places.Add(place);
            }
        }

        return places;
    }

    /// <summary>Gives back what an executor holds, or some of it.</summary>
    protected ValueTask<IReadOnlyList<TaskMove>> MoveHeldAsync(
        string executorId, Predicate<TaskRow> isGivenBack, Func<SqlStep, bool, ValueTask>? end, CancellationToken cancellationToken) => MoveAsync(
        "give back",
        async (step, most) =>
        {
            var held = await step.LoadAsync(
                "load_held", DefinitionNeed.Of(_givenBack), Argument.Texts("executors", [executorId]), Argument.Integer("most", most), Except("give back")).ConfigureAwait(false);
            return held.FindAll(isGivenBack);
        },
        _ => _givenBack,
        int.MaxValue,
        end,
        cancellationToken);

    /// <summary>True if the definition of a task to be claimed can be read; otherwise the task is left as it is, and set aside.</summary>
    private bool IsReadable(TaskRow row)
    {
        try
        {
            return row.Definition is not null;
        }
        catch (System.Text.Json.JsonException e)
        {
            Leave(Claiming, new RowFault(row.TaskNo, row.Id, e));
            return false;
        }
    }

    private static async ValueTask<bool> IsRecordedAsync(SqlStep step, TaskRow row, TaskEvent.Reported happened)
    {
        var report = happened.Report.Id;
        if (TaskLifecycle.IsRecorded(row.State, null, report))
        {
            // The hint may have been lost with the answer.
            var isTold = row.State.State == TaskState.Executed;
            step.Hint(isTold ? StoreHintKinds.None : StoreHint.KindsOf(row.Head, row.State, row.State, happened), row);
            step.Hint(row.Head.Notify && !isTold ? StoreHintKinds.Notified : StoreHintKinds.None, row);
            return true;
        }

        var found = report.Kind == ReportKind.Completed
            ? await step.QueryAsync(
                "find_result",
                reader => reader.GetInt32(0),
                Argument.Long("task_no", row.TaskNo),
                Argument.Integer("run_no", row.ResultRunNo),
                Argument.Integer("stage", report.Stage),
                Argument.Uuid("claim", report.Claim)).ConfigureAwait(false)
            : [];
        return found.Count > 0;
    }
}
