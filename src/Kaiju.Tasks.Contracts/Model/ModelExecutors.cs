using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The steps of executors, applied to the store and to the model.</summary>
internal sealed class ModelExecutors(OpenedStore opened, StoreModel model, ModelClaims claims, Action<string>? trace)
{
    private readonly ITaskStore _store = opened.Store;

    public async Task ClaimNextAsync(ClaimNextStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var queued = model.Tasks.Values
            .Where(
                task => task.State.State == TaskState.Queued && task.Definition.Enabled
                    && executor.Apps.Contains(task.Definition.AppName))
            .ToDictionary(
                task => task.Id, task => (IComparable)(-(long)task.Definition.Priority, task.State.QueuedAt!.Value));
        var claimed = await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = executor, MaxTasks = step.MaxTasks, MaxBytes = step.MaxBytes }, default);
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        var ids = claimed.Select(task => task.Id).ToList();
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
        var expected = ids.Distinct()
            .Where(id => model.Find(id) is { Definition.Enabled: true, State.State: TaskState.Queued }).ToList();
        var claimed = await _store.ClaimAsync(executor, ids, default);
        trace?.Invoke($"    {string.Join(", ", claimed.Select(task => task.Id))}");

        Difference.CheckList("the claimed tasks", expected, [.. claimed.Select(task => task.Id).OrderBy(ids.IndexOf)]);
        foreach (var task in claimed)
        {
            ClaimInModel(executor, task);
        }

        await LearnExecutorAsync(executor, claimed.Count);
    }

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
            model.ApplyEvent(task, new TaskEvent.Claimed(executor.Id, claimed.Claim)));
        model.LastPings.TryAdd(executor.Id, model.Now);
        claims.Learn(task);
        Difference.CheckClaim(task.ForExecutor(model.Now), claimed);
        claims.KeepStoreKey(claimed.Id, claimed.StoreKey);
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
