using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The steps about pauses and holds, applied to the store and to the model.</summary>
internal sealed class ModelSteering(OpenedStore opened, StoreModel model, Action<string>? trace)
{
    /// <summary>The most repairs until all holds are right: each one repairs a task, or looks at one.</summary>
    private static readonly int _mostRepairs = 3 * (ModelDefinitions.Ids.Count + 1);

    private readonly ITaskStore _store = opened.Store;

    public async Task PauseAsync(PauseStep step)
    {
        var pause = new TaskPause
        {
            AppName = step.App,
            Method = step.Method,
            Reason = step.For?.ToString(),
            Until = model.Now + step.For,
        };
        Difference.Check("answer to pause", true, await _store.PauseAsync(pause, CallContext.Empty, default));
        model.Routing.Pause(pause.With(p => p.Since, model.Now), model.Now);
    }

    public async Task ResumeAsync(ResumeStep step)
    {
        var answer = await _store.ResumeAsync(step.App, step.Method, CallContext.Empty, default);
        trace?.Invoke($"    {answer}");
        Difference.Check("answer to resume", model.Routing.Resume(step.App, step.Method, model.Now), answer);
    }

    public async Task RepairAsync(RepairStep step)
    {
        var repairs = 0;
        while (await RepairAsync(step.Limit) && step.ToEnd)
        {
            if (++repairs > _mostRepairs)
            {
                Difference.Fail($"{repairs} repairs of at most {step.Limit} tasks did not correct all holds.");
            }
        }
    }

    /// <summary>Repairs once; true if the store says that there may be more to do.</summary>
    private async Task<bool> RepairAsync(int limit)
    {
        model.Routing.EndPauses(model.Now);
        var queued = model.Tasks.Values
            .Where(task => task is { Definition.Enabled: true, State.State: TaskState.Queued }).ToList();
        var unroutable = queued.Where(task => task.State.Hold != TaskHold.None && IsUnroutable(task))
            .Select(RouteOf).ToHashSet();
        var repair = await _store.RepairHoldsAsync(limit, default);
        trace?.Invoke($"    {repair.Changed} changed{(repair.HasMore ? ", there may be more" : "")}");

        var changed = 0;
        foreach (var task in queued)
        {
            changed += await FollowAsync(task, isComplete: !repair.HasMore) ? 1 : 0;
        }

        Difference.Check("the number of changed holds", changed, repair.Changed);
        Difference.Check("the number of changed holds is within its bounds", true, changed <= 2 * limit);
        Difference.CheckList(
            "the commands that no executor knows",
            [.. unroutable.Order()],
            [.. repair.Unroutable.Distinct().Order()]);
        return repair.HasMore;
    }

    /// <summary>Takes over the hold of a task if the store has corrected it; then true.</summary>
    private async Task<bool> FollowAsync(ModelTask task, bool isComplete)
    {
        var stored = (await _store.GetAsync(task.Id, default))?.Managed.Hold;
        var right = model.Routing.Holds.HoldOf(task.Definition.AppName!, task.State.Method);
        if (stored != right && (isComplete || stored != task.State.Hold))
        {
            Difference.Fail(
                $"the hold of {task.Id} was {task.State.Hold} and should be {right}; the repair left {stored}.");
        }

        var isChanged = stored != task.State.Hold;
        task.Rehold(stored!.Value);
        return isChanged;
    }

    private bool IsUnroutable(ModelTask task)
    {
        var ((app, method), holds) = (RouteOf(task), model.Routing.Holds);
        return holds.HoldOf(app, method) == TaskHold.UnknownCommand && !holds.IsKnown(app, method);
    }

    private static (string App, string Method) RouteOf(ModelTask task) =>
        (task.Definition.AppName!, task.State.Method ?? "");
}
