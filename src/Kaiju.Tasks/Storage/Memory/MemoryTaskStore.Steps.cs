using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <content>How one step is carried out, under the lock.</content>
internal sealed partial class MemoryTaskStore
{
    private IReadOnlyList<ImportAnswer> ImportAll(IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, StepState step)
    {
        foreach (var executor in executors)
        {
            _lastPing[executor.ExecutorId] = TaskImport.Ping(executor.LastPing, step.Now);
        }

        return [.. tasks.Select(task => Import(task, step))];
    }

    private CreateAnswer Create(TaskDefinition definition, OnConflict onConflict, CallContext context, StepState step)
    {
        var result = CreateResult.Created;
        if (_index.Find(definition.Id!) is { } known)
        {
            result = ConflictRule.Decide(onConflict, known.State, isInScope: known.IsIn(context.Scope));
            if (result != CreateResult.Replaced)
            {
                return new CreateAnswer(known.Id, result, known.State.State);
            }

            _index.Remove(known);
            step.Hint(StoreHintKinds.Ended, known);
        }

        var task = new MemoryTask(definition, TaskLifecycle.Create(definition, NewJobId(), step.Now), step.Now, _sequence++, []);
        _index.Add(task);
        step.Hint(StoreHint.KindsOfNew(task.State), task);
        return new CreateAnswer(task.Id, result, task.State.State);
    }

    private ImportAnswer Import(TaskRecord imported, StepState step)
    {
        if (_index.Find(imported.Id) is { } known)
        {
            return new ImportAnswer(known.Id, CreateResult.Refused, null);
        }

        var state = TaskImport.State(imported, ids.NewId(), step.Now, rules);
        var task = new MemoryTask(imported.Definition, state, imported.Created, _sequence++, TaskImport.Entries(imported));
        _index.Add(task);
        step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, task);
        return new ImportAnswer(task.Id, CreateResult.Created, state.Claim);
    }

    private UpdateAnswer Update(TaskDefinition definition, int revision, CallContext context, StepState step)
    {
        if (Find(definition.Id!, context) is not { } task)
        {
            return new UpdateAnswer(UpdateResult.Missing, []);
        }

        if (task.Revision != revision)
        {
            return new UpdateAnswer(UpdateResult.Stale, []);
        }

        if (TaskUpdate.FindFaults(task.Definition, definition, task.State) is { Count: > 0 } faults)
        {
            return new UpdateAnswer(UpdateResult.Refused, faults);
        }

        // All of it anew: groups, users, priority and whether it is enabled decide where a task is found.
        _index.Remove(task);
        task.Update(definition, TaskUpdate.Apply(task.Definition, definition, task.State, step.Now));
        _index.Add(task);
        step.Hint(StoreHintKinds.Duty | (task.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.None), task);
        return new UpdateAnswer(UpdateResult.Updated, []);
    }

    private bool Claim(ExecutorInfo executor, MemoryTask? task, List<ExecutorTask> claimed, StepState step)
    {
        if (task is null || !Happen(task, new TaskEvent.Claimed(executor.Id, ids.NewId()), step))
        {
            return false;
        }

        _lastPing.TryAdd(executor.Id, step.Now);
        claimed.Add(task.ForExecutor(step.Now));
        return true;
    }

    private ReportAnswer Record(StageReport report, StepState step)
    {
        if (_index.Find(report.TaskId) is not { } task)
        {
            return ReportAnswer.Superseded;
        }

        return Happen(task, new TaskEvent.Reported(report), step) || TaskLifecycle.IsRecorded(task.State, task.FindEntry(report.Id), report.Id)
            ? ReportAnswer.Recorded
            : ReportAnswer.Superseded;
    }

    private DateTimeOffset? FirstPing() => _lastPing.Count == 0 ? null : _lastPing.Values.Min();

    private IReadOnlyList<Guid> Lost(IReadOnlyList<HeldClaim> claims) =>
        [.. claims.Where(held => _index.Find(held.TaskId)?.State.Claim != held.Claim).Select(held => held.Claim)];

    private ValueTask<IReadOnlyList<TaskMove>> Carry(TaskDuty duty, Func<MemoryTask, TaskEvent> happened, int limit, CancellationToken cancellationToken) =>
        Carry(step => _index.FirstDue(duty, step.Now), happened, limit, cancellationToken);

    private ValueTask<IReadOnlyList<TaskMove>> Carry(
        Func<StepState, MemoryTask?> first, Func<MemoryTask, TaskEvent> happened, int limit, CancellationToken cancellationToken) =>
        Step(step =>
        {
            TakeBack(step.Now);
            var moves = new List<TaskMove>();
            while (moves.Count < limit && first(step) is { } task)
            {
                if (TryMove(task, happened(task), moves, step) == false)
                {
                    // Such as a cron expression without another occurrence: nothing to do until something else happens to it.
                    MemoryIndex.Drop(task);
                }
            }

            return (IReadOnlyList<TaskMove>)moves;
        }, cancellationToken);

    private void Move(IReadOnlyCollection<MemoryTask> tasks, TaskEvent happened, int limit, List<TaskMove> moves, StepState step)
    {
        foreach (var task in tasks.Where(task => task.AsideUntil <= step.Now).OrderBy(task => task.Sequence).Take(limit - moves.Count).ToList())
        {
            TryMove(task, happened, moves, step);
        }
    }

    /// <summary>Moves a task: true if it was moved, false if nothing happens to it, null if that cannot be decided. Then it is set aside, and the others go on.</summary>
    private bool? TryMove(MemoryTask task, TaskEvent happened, List<TaskMove> moves, StepState step)
    {
        var from = task.State.State;
        try
        {
            if (!Happen(task, happened, step))
            {
                return false;
            }
        }
        catch (Exception e)
        {
            task.SetAside(step.Now);
            MemoryIndex.Drop(task);
            _aside.Enqueue(task, task.AsideUntil);
            step.Fail(task, happened, e);
            return null;
        }

        moves.Add(task.MoveFrom(from));
        return true;
    }

    /// <summary>Tasks that have been left alone for long enough stand among the duties again.</summary>
    private void TakeBack(DateTimeOffset now)
    {
        while (_aside.TryPeek(out var task, out var until) && until <= now)
        {
            _aside.Dequeue();
            if (_index.Find(task.Id) == task)
            {
                _index.Leave(task);
                _index.Enter(task);
            }
        }
    }

    /// <summary>A task that the caller may reach; one outside its scope is as if it did not exist.</summary>
    private MemoryTask? Find(string taskId, CallContext context) =>
        _index.Find(taskId) is { } task && task.IsIn(context.Scope) ? task : null;

    private bool Happen(string taskId, CallContext context, TaskEvent happened, StepState step) =>
        Find(taskId, context) is { } task && Happen(task, happened, step);

    /// <summary>Carries out what the lifecycle says, whole.</summary>
    private bool Happen(MemoryTask task, TaskEvent happened, StepState step)
    {
        var before = task.State;
        if (next(task.Definition, before, happened, step.Now, rules) is not { } transition)
        {
            return false;
        }

        _index.Leave(task);
        task.Apply(transition, rules.KeptRuns);
        _index.Enter(task);
        if (transition.Notify)
        {
            _notifications.Add(task, step.Now);
            step.Hint(StoreHintKinds.Notified, task);
        }

        step.Hint(StoreHint.KindsOf(task.Definition, before, task.State, happened), task);
        if (transition.StartNext is { } chained)
        {
            StartNext(task, chained, step);
        }

        return true;
    }

    private void StartNext(MemoryTask finished, string next, StepState step)
    {
        // Noted first: a task that starts itself goes on to its next run, and the note belongs to the one before.
        var target = _index.Find(next);
        var result = TaskLifecycle.JudgeChain(target?.Definition, target?.State);
        finished.NoteChain(result);
        if (target is not null)
        {
            Happen(target, new TaskEvent.Chained(NewJobId()), step);
        }

        if (result != ChainResult.Started)
        {
            step.LoseChain(finished.Id, next, result);
        }
    }

    private static bool Fits(MemoryTask task, TaskQuery query)
    {
        var definition = task.Definition;
        return (query.State is null || query.State == task.State.State)
            && (query.AppName is null || query.AppName == definition.AppName)
            && (query.Group is null || query.Group == definition.Group)
            && (query.GroupId is null || query.GroupId == definition.GroupId)
            && (query.UserId is null || query.UserId == definition.UserId)
            && (query.IsPeriodic is null || query.IsPeriodic == definition.Cron is not null)
            && (query.IdPrefix is null || task.Id.StartsWith(query.IdPrefix, StringComparison.Ordinal))
            && (query.CreatedFrom is null || task.Created >= query.CreatedFrom)
            && (query.CreatedTo is null || task.Created < query.CreatedTo);
    }

    private string NewJobId() => ids.NewId().ToString();

    private ValueTask<T> Step<T>(Func<StepState, T> act, CancellationToken cancellationToken) =>
        Step(act, static (_, act, step) => act(step), cancellationToken);

    private ValueTask<T> Step<TArgument, T>(TArgument argument, Func<MemoryTaskStore, TArgument, StepState, T> act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreHint hints;
        List<(string Finished, string Next, ChainResult Result)>? lostChains;
        List<(string TaskId, string Work, TimeSpan Pause, Exception Reason)>? failed;
        T answer;
        lock (_lock)
        {
            // The time too, so that steps are in the order of their times.
            _step.Begin(clock.GetUtcNow());
            answer = act(this, argument, _step);
            (hints, lostChains, failed) = (_step.Hints, _step.LostChains, _step.Failed);
        }

        _listeners.Publish(hints);
        foreach (var (finished, chained, result) in lostChains ?? [])
        {
            Log.ChainLost(_logger, finished, chained, result);
        }

        foreach (var (taskId, work, pause, reason) in failed ?? [])
        {
            Log.TaskSetAside(_logger, reason, taskId, work, pause);
        }

        return ValueTask.FromResult(answer);
    }

    /// <summary>The step that is being carried out: its time, and the hints to give when the lock is released. One for all, since there is one at a time.</summary>
    private sealed class StepState
    {
        public DateTimeOffset Now { get; private set; }

        public StoreHint Hints { get; private set; }

        /// <summary>Starts of next tasks that could not be, to be logged when the lock is released; most steps have none.</summary>
        public List<(string Finished, string Next, ChainResult Result)>? LostChains { get; private set; }

        /// <summary>Tasks that were set aside, to be logged as well.</summary>
        public List<(string TaskId, string Work, TimeSpan Pause, Exception Reason)>? Failed { get; private set; }

        public void Begin(DateTimeOffset now) => (Now, Hints, LostChains, Failed) = (now, default, null, null);

        public void Fail(MemoryTask task, TaskEvent happened, Exception reason) => (Failed ??= []).Add((task.Id, happened.GetType().Name, task.AsideFor, reason));

        public void LoseChain(string finished, string next, ChainResult result) => (LostChains ??= []).Add((finished, next, result));

        public void Hint(StoreHintKinds kinds, MemoryTask task) => Hints = Hints.With(kinds, task.Definition.AppName, task.Id);
    }
}
