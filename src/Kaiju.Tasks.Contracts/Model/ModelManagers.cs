using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The steps that move tasks: duties of managers, and claims given back by executors.</summary>
internal sealed class ModelManagers(
    OpenedStore opened,
    StoreModel model,
    ModelClaims claims,
    ModelViews views,
    ModelSteering steering,
    Action<string>? trace)
{
    private readonly ITaskStore _store = opened.Store;

    public async Task TickAsync()
    {
        foreach (var verb in Enum.GetValues<ManagerVerb>())
        {
            await ManageAsync(verb, 100);
        }

        await steering.RepairAsync(new RepairStep(100, ToEnd: true));
    }

    public async Task ManageAsync(ManagerVerb verb, int limit)
    {
        var due = model.Due(verb);
        var moves = await RunDutyAsync(verb, limit);
        trace?.Invoke(
            $"    {verb}: {string.Join(", ", moves.Select(move => $"{move.TaskId} from {move.From} to {move.To}"))}");
        Choice.Check(
            $"{verb}",
            due.ToDictionary(task => task.Key, task => (IComparable)task.Value),
            [.. moves.Select(move => move.TaskId)],
            Math.Min(limit, due.Count));
        await MoveInModelAsync(moves, task => model.EventOf(verb, task));
        if (verb == ManagerVerb.Expel)
        {
            model.ForgetDead();
        }

        // Like the manager.
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
    /// Applies to the model the moves that the store answered, in the store's order, and compares them.
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
        await views.LearnRunsAsync();
        foreach (var (move, (task, first)) in moves.Zip(expected))
        {
            // A task that is started by another task of the step, or by itself, was moved twice. A store may answer the
            // first move or the last one.
            var last = TaskMove.Of(task.Id, task.Definition.AppName!, first.From, task.State);
            if (!move.Equals(first with { JobId = StoreModel.IsUnknown(first.JobId) ? last.JobId : first.JobId }))
            {
                Difference.Check("the move", last, move);
            }
        }
    }

    [SuppressMessage(
        "Performance",
        "CA1851:Possible multiple enumerations of 'IEnumerable' collection",
        Justification = "Of a few tasks.")]
    public async Task ExecutorAsync(ExecutorStep step)
    {
        var executor = ModelDefinitions.Executors[step.Executor];
        var held = model.HeldBy(executor.Id).ToList();
        var old = claims.FindLost(executor.Id, step.Old);
        var known = held.Skip(step.Forgotten).Select(task => new HeldClaim(task.Id, task.State.Claim!.Value))
            .Concat(old).ToList();
        var lost = old.Select(claim => claim.Claim).Order().ToList();
        switch (step.Verb)
        {
            case ExecutorVerb.Heartbeat:
                model.LastPings[executor.Id] = model.Now;
                model.Routing.Announce(executor, model.Now);
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
                model.Routing.Forget(executor.Id, model.Now);
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
