using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>What managers and executors ask.</summary>
internal sealed partial class ModelRun
{
    private readonly List<KnownClaim> _claims = [];
    private readonly Dictionary<string, long> _storeKeys = new(StringComparer.Ordinal);
    private readonly List<StageReport> _recorded = [];
    private int _strangers;

    /// <summary>A claim that somebody holds or has held.</summary>
    private sealed record KnownClaim(string TaskId, Guid Claim, string? ExecutorId, string JobId, int Attempt);

    private async Task ClaimNextAsync(ClaimNextStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var queued = model.Tasks.Values
            .Where(
                task => task.State.State == TaskState.Queued && task.Definition.Enabled
                    && executor.Apps.Contains(task.Definition.AppName))
            .ToDictionary(
                task => task.Id, task => (IComparable)(-(long)task.Definition.Priority, task.State.QueuedAt!.Value));
        var claimed = await opened.Queue.ClaimAsync(new ClaimRequest(executor, step.MaxTasks, step.MaxBytes), default);
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        var ids = claimed.Select(task => task.Id).ToList();
        CheckChoice("claim", queued, ids, CountOfClaim(queued, ids, step));
        var order = ids.ConvertAll(id => queued[id]);
        Difference.CheckList("the order of the claimed", [.. order.Order()], order);
        foreach (var task in claimed)
        {
            ClaimInModel(executor, task);
        }

        await LearnExecutorAsync(executor, claimed.Count);
    }

    /// <summary>
    /// How many should have been claimed. Bytes are "about so many" and each store may count its own way, so where they
    /// end a claim early it is enough that the store is right within a factor of two.
    /// </summary>
    private int CountOfClaim(Dictionary<string, IComparable> queued, List<string> claimed, ClaimNextStep step)
    {
        var most = Math.Min(step.MaxTasks, queued.Count);
        var left = queued.Where(task => !claimed.Contains(task.Key)).ToList();
        if (claimed.Count == 0 || claimed.Count >= most || !claimed.All(queued.ContainsKey))
        {
            return most;
        }

        var bytes = claimed.Sum(id => model.Find(id)!.Bytes);
        if (claimed.Count > 1 && bytes > step.MaxBytes * 2)
        {
            Difference.Fail($"claim: {bytes} bytes were claimed of {step.MaxBytes}.");
        }

        var first = left.Min(task => task.Value);
        var next = left.Where(task => task.Value.CompareTo(first) == 0).Max(task => model.Find(task.Key)!.Bytes);
        return (bytes + next) * 2 > step.MaxBytes ? claimed.Count : most;
    }

    private async Task ClaimByIdAsync(ClaimByIdStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var ids = step.Ids.Select(id => ModelDefinitions.Ids[id]).ToList();
        var expected = ids.Distinct()
            .Where(id => model.Find(id) is { Definition.Enabled: true, State.State: TaskState.Queued }).ToList();
        var claimed = await _store.ClaimAsync(executor, ids, default);
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        Difference.CheckList("the claimed", expected, [.. claimed.Select(task => task.Id).OrderBy(ids.IndexOf)]);
        foreach (var task in claimed)
        {
            ClaimInModel(executor, task);
        }

        await LearnExecutorAsync(executor, claimed.Count);
    }

    /// <summary>
    /// An executor is known from its first claim on; whether a claim of nothing makes it known is left to the store.
    /// </summary>
    private async Task LearnExecutorAsync(ExecutorInfo executor, int claimed)
    {
        if (claimed == 0 && !model.LastPings.ContainsKey(executor.Id)
            && (await _store.ListExecutorsAsync(default)).Any(known => known.ExecutorId == executor.Id))
        {
            model.LastPings.Add(executor.Id, model.Now);
        }
    }

    private void ClaimInModel(ExecutorInfo executor, ExecutorTask claimed)
    {
        var task = model.Find(claimed.Id)!;
        Difference.Check(
            $"the claim of {claimed.Id} is new",
            true,
            claimed.Claim != Guid.Empty && _claims.TrueForAll(known => known.Claim != claimed.Claim));
        Difference.Check(
            $"{claimed.Id} can be claimed",
            true,
            model.ApplyEvent(task, new TaskEvent.Claimed(executor.Id, claimed.Claim)));
        model.LastPings.TryAdd(executor.Id, model.Now);
        LearnClaim(task);
        Difference.CheckClaim(task.ForExecutor(model.Now), claimed);
        _storeKeys[claimed.Id] = claimed.StoreKey;
    }

    private void LearnClaim(ModelTask task)
    {
        if (task.State.Claim is { } claim)
        {
            _claims.Add(new KnownClaim(task.Id, claim, task.State.ExecutorId, task.State.JobId, task.State.Attempt));
        }
    }

    private async Task ReportAsync(ReportStep step)
    {
        var reports = step.Reports.Select(ReportOf).OfType<StageReport>().DistinctBy(report => report.Claim).ToList();
        var answers = await _store.RecordAsync(reports, default);
        var expected = reports.ConvertAll(RecordInModel);
        model.StartChained();
        var told = reports.Zip(answers, (report, answer) => $"{report.TaskId} at stage {report.Stage}: {answer}");
        trace?.Invoke($"    {string.Join(", ", told)}");
        Difference.CheckList("answers to reports", expected, answers);
    }

    private ReportAnswer RecordInModel(StageReport report)
    {
        var recorded = model.Find(report.TaskId) is { } task
            && (model.ApplyEvent(task, new TaskEvent.Reported(report))
                || TaskLifecycle.IsRecorded(task.State, task.RowOf(report.Id), report.Id));
        if (recorded)
        {
            _recorded.Add(report);
        }

        return recorded ? ReportAnswer.Recorded : ReportAnswer.Superseded;
    }

    private StageReport? ReportOf(ReportSpec spec)
    {
        if (spec.By == ReportBy.Repeated)
        {
            return _recorded.Count == 0 ? null : _recorded[^(1 + (spec.Nth % _recorded.Count))];
        }

        var executed = model.Tasks.Values.Where(task => task.State.Claim is not null).ToList();
        var others = executed.Count > 0 ? executed : [.. model.Tasks.Values];
        if (others.Count == 0)
        {
            return null;
        }

        var task = others[spec.Nth % others.Count];
        var holder = _claims.Find(claim => claim.Claim == task.State.Claim);
        var by = spec.By switch
        {
            ReportBy.HolderOfBefore =>
                _claims.FindLast(claim => claim.TaskId == task.Id && claim.Claim != task.State.Claim),
            ReportBy.HolderOfAnother => _claims.FindLast(claim => claim.TaskId != task.Id),
            ReportBy.Nobody => null,
            _ => holder,
        };
        return new StageReport
        {
            TaskId = task.Id,
            Claim = by?.Claim ?? Stranger(),
            JobId = by?.JobId ?? task.State.JobId,
            Attempt = by?.Attempt ?? task.State.Attempt,
            Stage = task.State.Stage + (spec.By == ReportBy.HolderAtNextStage
                ? 1
                : spec.By == ReportBy.HolderAtStageBefore ? -1 : 0),
            Outcome = spec.Outcome,
            Elapsed = spec.Elapsed,

            // Now and then from somebody who does not know it.
            StoreKey = spec.Nth % 4 == 3 ? 0 : _storeKeys.GetValueOrDefault(task.Id),
        };
    }

    /// <summary>A claim that nobody holds, the same in every go at a sequence.</summary>
    private Guid Stranger() =>
        Guid.Parse(string.Create(CultureInfo.InvariantCulture, $"00000000-0000-0000-0000-{++_strangers:d12}"));

    private async Task TickAsync()
    {
        foreach (var verb in Enum.GetValues<ManagerVerb>())
        {
            await ManageAsync(verb, 100);
        }
    }

    private async Task ManageAsync(ManagerVerb verb, int limit)
    {
        var due = model.Due(verb);
        var moves = await RunDutyAsync(verb, limit);
        trace?.Invoke(
            $"    {verb}: {string.Join(", ", moves.Select(move => $"{move.TaskId} from {move.From} to {move.To}"))}");
        CheckChoice(
            $"{verb}",
            due.ToDictionary(task => task.Key, task => (IComparable)task.Value),
            [.. moves.Select(move => move.TaskId)],
            Math.Min(limit, due.Count));
        await MoveInModelAsync(moves, task => model.EventOf(verb, task));
        if (verb == ManagerVerb.Expel)
        {
            model.ForgetDead();
        }

        // As the manager does.
        var queued = moves.Where(move => move.To == TaskState.Queued).Select(
            move => new QueuedTask(move.TaskId, move.AppName));
        await opened.Queue.PublishAsync([.. queued], default);
    }

    private ValueTask<IReadOnlyList<TaskMove>> RunDutyAsync(ManagerVerb verb, int limit) => verb switch
    {
        ManagerVerb.Expel => _store.ExpelDeadExecutorsAsync(limit, default),
        ManagerVerb.AbortOverdue => _store.AbortOverdueAsync(limit, default),
        ManagerVerb.RestartPeriodic => _store.RestartPeriodicAsync(limit, default),
        ManagerVerb.WakeWaits => _store.WakeWaitsAsync(limit, default),
        ManagerVerb.QueueDue => _store.QueueDueAsync(limit, default),
        _ => _store.RequeueFailedAsync(limit, default),
    };

    /// <summary>
    /// Does to the model what the store says it has done, in the store's order, and compares the moves.
    /// </summary>
    private async Task MoveInModelAsync(IReadOnlyList<TaskMove> moves, Func<ModelTask, TaskEvent> happened)
    {
        var expected = new List<(ModelTask Task, TaskMove First)>();
        foreach (var move in moves)
        {
            var task = model.Find(move.TaskId)!;
            var from = task.State.State;
            if (!model.ApplyEvent(task, happened(task)))
            {
                Difference.Fail(
                    $"{move.TaskId} was moved from {move.From} to {move.To}; in the model nothing happens to it.");
            }

            expected.Add((task, TaskMove.Of(task.Id, task.Definition.AppName!, from, task.State)));
        }

        model.StartChained();
        await LearnRunsAsync();
        foreach (var (move, (task, first)) in moves.Zip(expected))
        {
            // A task that another one starts, or itself, has been moved twice in the step; a store may say the first or
            // the last.
            var last = TaskMove.Of(task.Id, task.Definition.AppName!, first.From, task.State);
            if (move != first with { JobId = StoreModel.IsUnknown(first.JobId) ? last.JobId : first.JobId })
            {
                Difference.Check("the move", last, move);
            }
        }
    }

    [SuppressMessage(
        "Performance",
        "CA1851:Possible multiple enumerations of 'IEnumerable' collection",
        Justification = "Of a few tasks.")]
    private async Task ExecutorAsync(ExecutorStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var held = model.HeldBy(executor.Id).ToList();
        var old = _claims.Where(
            claim => claim.ExecutorId == executor.Id && model.Find(claim.TaskId)?.State.Claim != claim.Claim)
            .TakeLast(step.Old)
            .ToList();
        var known = held.Skip(step.Forgotten).Select(task => new HeldClaim(task.Id, task.State.Claim!.Value))
            .Concat(old.Select(claim => new HeldClaim(claim.TaskId, claim.Claim))).ToList();
        var lost = old.Select(claim => claim.Claim).Order().ToList();
        switch (step.Verb)
        {
            case ExecutorVerb.Heartbeat:
                model.LastPings[executor.Id] = model.Now;
                Difference.CheckList(
                    "the lost claims", lost, [.. (await _store.HeartbeatAsync(executor, known, default)).Order()]);
                break;
            case ExecutorVerb.FindLost:
                Difference.CheckList(
                    "the lost claims", lost, [.. (await _store.FindLostClaimsAsync(known, default)).Order()]);
                break;
            case ExecutorVerb.GiveBackStray:
                await GiveBackAsync(
                    held.Take(step.Forgotten), await _store.GiveBackStrayClaimsAsync(executor.Id, known, default));
                break;
            default:
                await GiveBackAsync(held, await _store.SuspendExecutorAsync(executor.Id, default));
                model.LastPings.Remove(executor.Id);
                break;
        }
    }

    private async Task GiveBackAsync(IEnumerable<ModelTask> tasks, IReadOnlyList<TaskMove> moves)
    {
        Difference.CheckList(
            "the tasks given back",
            [.. tasks.Select(task => task.Id)],
            [.. moves.Select(move => move.TaskId).Order(StringComparer.Ordinal)]);
        await MoveInModelAsync(moves, _ => new TaskEvent.GivenBack());
    }
}
