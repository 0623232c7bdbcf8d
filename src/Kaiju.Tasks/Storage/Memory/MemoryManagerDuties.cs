using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>The duties of managers for tasks in memory.</summary>
internal sealed class MemoryManagerDuties(MemoryState state)
{
    /// <summary>The most tasks of the common queue that one repair of holds looks at.</summary>
    private const int MostLooked = 10_000;

    public ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var watch = StoreWatch.Next(state.Watch, step.Now, state.Rules);
        state.Watch = watch;
        return new(new WatchAnswer(step.Now, watch.Since, FirstPing()));
    }

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var before = step.Now - age;
        var hasDuty = state.Tasks.NextDutyTicks() <= before.UtcTicks;
        var apps = state.Tasks.UnservedApps(before)
            .Where(app => !state.Routing.Holds.IsPaused(app, step.Now)).Take(UnattendedWork.MostApps).ToList();
        return new(
            new UnattendedWork { Now = step.Now, LastWatch = state.Watch?.Last, HasDuty = hasDuty, Apps = apps });
    }

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var moves = new MemoryMoves(step, limit);
        var alive = (asOf ?? step.Now) - state.Rules.ExecutorLifetime;
        foreach (var (executor, _) in state.LastPings.Where(executor => executor.Value < alive).ToList())
        {
            moves.MoveEach(state.Tasks.HeldBy(executor), new TaskEvent.Interrupted());
            if (state.Tasks.HeldBy(executor).Count == 0)
            {
                state.LastPings.Remove(executor);
                state.Routing.Forget(executor, state.Tasks, step.Now);
            }
        }

        return new(moves.Made);
    }

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(now => state.Tasks.FirstOverdue(now), _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.RestartPeriodic, _ => new TaskEvent.NextPeriod(state.NewJobId()), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(TaskDuty.WakeWait, _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.QueueDue,
            task => new TaskEvent.QueueDue(task.HasResults, task.Waiting),
            limit,
            cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(TaskDuty.RequeueFailed, _ => new TaskEvent.CheckRetry(), limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        state.Tasks.TakeBack(step.Now);
        var next = state.Tasks.NextDutyTicks();
        if (StoreWatch.FirstExpulsion(state.Watch, FirstPing(), step.Now, state.Rules) is { } death)
        {
            next = Math.Min(next ?? long.MaxValue, death.UtcTicks);
        }

        return new(next is { } ticks ? TimeSpan.FromTicks(Math.Max(0, ticks - step.Now.UtcTicks)) : null);
    }

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState outcome, TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var ended = new List<string>();
        while (ended.Count < limit && state.Tasks.FirstEnded(outcome, step.Now - age) is { } task)
        {
            state.Tasks.Remove(task);
            ended.Add(task.Id);
            step.Hint(StoreHintKinds.Ended, task);
        }

        return new(ended);
    }

    public ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        state.Routing.Resume(pause => !pause.IsInForce(step.Now), state.Tasks, step.Now);
        var (holds, changed) = (state.Routing.Holds, 0);
        var unroutable = new List<(string AppName, string Method)>();
        foreach (var (hold, app, method) in state.Tasks.HeldGroups())
        {
            var now = holds.HoldOf(app, method);
            while (now != hold && changed < limit && state.Tasks.FirstHeld(hold, app, method) is { } task)
            {
                Rehold(step, task, now);
                changed++;
            }

            if (now == TaskHold.UnknownCommand && !holds.IsKnown(app, method))
            {
                unroutable.Add((app, method));
            }
        }

        for (var looked = 0;
            looked < MostLooked && changed < limit && state.Routing.NextUnchecked() is { } task;
            looked++)
        {
            // A task may have been deleted or replaced since.
            if (task.IsInCommonQueue && state.Tasks.Find(task.Id) == task
                && holds.Decide(task.Definition.AppName!, task.State) is var decided
                && decided.Hold != TaskHold.None)
            {
                Rehold(step, task, decided.Hold);
                changed++;
            }
        }

        return new(new HoldRepair
        {
            Changed = changed,
            HasMore = changed >= limit || state.Routing.Unchecked > 0,
            Unroutable = [.. unroutable.Take(HoldRepair.MostUnroutable)],
        });
    }

    private void Rehold(MemoryStep step, MemoryTask task, TaskHold hold)
    {
        state.Tasks.Leave(task);
        task.Rehold(hold);
        state.Tasks.Enter(task);
        step.Hint(hold == TaskHold.Paused ? StoreHintKinds.None : StoreHintKinds.Queued, task);
    }

    private DateTimeOffset? FirstPing() => state.LastPings.Count == 0 ? null : state.LastPings.Values.Min();

    private ValueTask<IReadOnlyList<TaskMove>> RunDutyAsync(
        TaskDuty duty, Func<MemoryTask, TaskEvent> happened, int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(now => state.Tasks.FirstDue(duty, now), happened, limit, cancellationToken);

    private ValueTask<IReadOnlyList<TaskMove>> RunDutyAsync(
        Func<DateTimeOffset, MemoryTask?> first,
        Func<MemoryTask, TaskEvent> happened,
        int limit,
        CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        state.Tasks.TakeBack(step.Now);
        var moves = new MemoryMoves(step, limit);
        while (!moves.AreFull && first(step.Now) is { } task)
        {
            if (moves.Move(task, happened(task)) == MoveResult.Unchanged)
            {
                // For example a cron expression without another occurrence: the duty is dropped until another event.
                MemoryIndex.Drop(task);
            }
        }

        return new(moves.Made);
    }
}
