using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The steps of executors, applied to the store and to the model.</summary>
internal sealed class ModelExecutors(
    OpenedStore opened, StoreModel model, ModelClaims claims, ModelSteering steering, Action<string>? trace)
{
    private readonly ITaskStore _store = opened.Store;

    public async Task ClaimNextAsync(ClaimNextStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var claimed = await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = executor, MaxTasks = step.MaxTasks, MaxBytes = step.MaxBytes }, default);
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        var ids = claimed.Select(task => task.Id).ToList();
        var queued = model.Tasks.Values
            .Where(task => executor.Apps.Contains(task.Definition.AppName)
                && (MayClaimNext(executor, task) ?? ids.Contains(task.Id)))
            .ToDictionary(
                task => task.Id, task => (IComparable)(-(long)task.Definition.Priority, task.State.QueuedAt!.Value));
        Choice.Check("claim", queued, ids, CountOfClaim(queued, ids, step));
        var order = ids.ConvertAll(id => queued[id]);
        Difference.CheckList("the order of the claimed tasks", [.. order.Order()], order);
        foreach (var task in claimed)
        {
            ClaimInModel(executor, task);
        }

        await LearnExecutorAsync(executor, claimed.Count);
    }

    /// <summary>
    /// The expected number of claimed tasks. The bound on bytes is approximate, and each store may count in its own
    /// way. Where that bound ends a claim early, the store must be right within a factor of two.
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

    public async Task ClaimByIdAsync(ClaimByIdStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var ids = step.Ids.Select(id => ModelDefinitions.Ids[id]).ToList();
        var claimed = await _store.ClaimAsync(executor, ids, default);
        var expected = ids.Distinct()
            .Where(id => model.Find(id) is { } task
                && (MayClaim(executor, task) ?? claimed.Any(other => other.Id == id)))
            .ToList();
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        Difference.CheckList("the claimed tasks", expected, [.. claimed.Select(task => task.Id).OrderBy(ids.IndexOf)]);
        foreach (var task in claimed)
        {
            ClaimInModel(executor, task);
        }

        await LearnExecutorAsync(executor, claimed.Count);
    }

    /// <summary>True if an executor may claim a task; null if that is left to the store.</summary>
    private bool? MayClaim(ExecutorInfo executor, ModelTask task) =>
        TaskLifecycle.Next(task.Definition, task.State, ClaimOf(executor, Guid.Empty), model.Now, model.Rules) is null
            ? false
            : !model.Routing.IsPaused(task.Definition.AppName!, model.Now);

    /// <summary>
    /// True if the next tasks of an executor include the task once all before it are claimed. A task that is held for
    /// some executors may be left out as soon as its hold is outdated.
    /// </summary>
    private bool? MayClaimNext(ExecutorInfo executor, ModelTask task) =>
        MayClaim(executor, task) != false && task.State.Hold == TaskHold.UnknownCommand
            && model.Routing.Holds.HoldOf(task.Definition.AppName!, task.State.Method) != TaskHold.UnknownCommand
            ? null
            : MayClaim(executor, task);

    private TaskEvent.Claimed ClaimOf(ExecutorInfo executor, Guid claim) =>
        new(executor.Id, claim, model.Routing.CommandsOf(executor.Id));

    /// <summary>
    /// An executor is known from its first claimed task on. Whether an empty claim makes it known is left to the store.
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
            claims.IsNew(claimed.Claim));
        Difference.Check(
            $"{claimed.Id} can be claimed",
            true,
            model.ApplyEvent(task, ClaimOf(executor, claimed.Claim)));
        model.LastPings.TryAdd(executor.Id, model.Now);
        claims.Learn(task);
        Difference.CheckClaim(task.ForExecutor(model.Now), claimed);
        claims.KeepStoreKey(claimed.Id, claimed.StoreKey);
    }

    /// <summary>
    /// An executor claims a task by its id again and again, and fills its method with another name each time.
    /// </summary>
    public async Task MissAsync(MissStep step)
    {
        foreach (var method in step.Methods)
        {
            await steering.RepairAsync(new RepairStep(100, ToEnd: true));
            await ClaimByIdAsync(new ClaimByIdStep(step.Executor, [step.Id]));
            var nth = model.Tasks.Values.Where(task => task.State.Claim is not null).ToList().FindIndex(
                task => task.Id == ModelDefinitions.Ids[step.Id]);
            if (nth >= 0)
            {
                var report = new ReportSpec(nth, ReportBy.Holder, StageOutcome.PutBack(method), TimeSpan.Zero);
                await ReportAsync(new ReportStep([report]));
            }
        }
    }

    public async Task ReportAsync(ReportStep step)
    {
        var reports = step.Reports.Select(claims.ReportOf).OfType<StageReport>()
            .DistinctBy(report => report.Claim).ToList();
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
            claims.Keep(report);
        }

        return recorded ? ReportAnswer.Recorded : ReportAnswer.Superseded;
    }
}
