using System.Text.Json;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// A store in this process's memory: for tests, for development, and for tasks that may be lost with the process. One lock makes
/// every member one step; nothing under it waits or calls out. What it carries out is decided by a function, so that a test can see a
/// broken rule be caught.
/// </summary>
internal sealed class MemoryTaskStore(TimeProvider clock, LifecycleRules rules, IdSource ids, LifecycleFunction next) : ITaskStore
{
    private readonly Lock _lock = new();
    private readonly MemoryIndex _index = new(rules);
    private readonly MemoryNotifications _notifications = new();
    private readonly Dictionary<string, DateTimeOffset> _lastPing = new(StringComparer.Ordinal);
    private readonly HintListeners _listeners = new();
    private readonly ILogger _logger = NullLogger.Instance;
    private long _sequence;

    public MemoryTaskStore(TimeProvider clock, LifecycleRules rules, IdSource ids, ILogger<MemoryTaskStore> logger)
        : this(clock, rules, ids, TaskLifecycle.Next) => _logger = logger;

    public ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CancellationToken cancellationToken)
    {
        // All of them before any: what throws here leaves nothing half done.
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task);
        }

        return Step<IReadOnlyList<CreateAnswer>>(step => [.. tasks.Select(task => Create(task, onConflict, step))], cancellationToken);
    }

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, CancellationToken cancellationToken)
    {
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task.Definition);
        }

        return Step(step => ImportAll(tasks, executors, step), cancellationToken);
    }

    private IReadOnlyList<ImportAnswer> ImportAll(IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, StepState step)
    {
        foreach (var executor in executors)
        {
            _lastPing[executor.ExecutorId] = executor.LastPing;
        }

        return [.. tasks.Select(task => Import(task, step))];
    }

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Snapshot(), cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.FindRun(jobId), cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Runs() ?? [], cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Stages() ?? [], cancellationToken);

    public ValueTask<UpdateAnswer> UpdateAsync(TaskDefinition definition, int revision, CancellationToken cancellationToken)
    {
        TaskDefinitionChecker.ThrowIfNotPrepared(definition);
        return Step(step => Update(definition, revision, step), cancellationToken);
    }

    public ValueTask<IReadOnlyList<TaskRecord>> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        Step<IReadOnlyList<TaskRecord>>(_ =>
            [.. _index.InOrder(query, after).Where(task => Fits(task, query)).Take(limit).Select(task => task.Snapshot())], cancellationToken);

    public ValueTask<IReadOnlyList<TaskNotification>> ListNotificationsAsync(NotificationQuery query, int limit, CancellationToken cancellationToken) =>
        Step(_ => _notifications.List(query, limit), cancellationToken);

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        Step(_ => _notifications.MarkRead(ids), cancellationToken);

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(int limit, CancellationToken cancellationToken) =>
        Step(_ => _notifications.Undelivered(limit), cancellationToken);

    public async ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) => await Step(
        _ =>
        {
            _notifications.MarkDelivered(ids);
            return true;
        },
        cancellationToken).ConfigureAwait(false);

    public ValueTask<bool> DeleteAsync(string taskId, CancellationToken cancellationToken) => Step(step =>
    {
        if (_index.Find(taskId) is not { } task)
        {
            return false;
        }

        _index.Remove(task);
        step.Hint(StoreHintKinds.Ended | (task.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost), taskId);
        return true;
    }, cancellationToken);

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(TimeSpan age, int limit, CancellationToken cancellationToken) => Step(step =>
    {
        var ended = _index.EndedBefore(step.Now - age).Take(limit).ToList();
        foreach (var task in ended)
        {
            _index.Remove(task);
            step.Hint(StoreHintKinds.Ended, task.Id);
        }

        return (IReadOnlyList<string>)[.. ended.Select(task => task.Id)];
    }, cancellationToken);

    public ValueTask<bool> ResetAsync(string taskId, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, new TaskEvent.Reset(NewJobId()), step), cancellationToken);

    public ValueTask<bool> CancelAsync(string taskId, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, new TaskEvent.Cancelled(), step), cancellationToken);

    public ValueTask<bool> SendMessageAsync(string taskId, JsonElement data, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, new TaskEvent.MessageSent(data), step), cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(int limit, CancellationToken cancellationToken) => Step(step =>
    {
        var moves = new List<TaskMove>();
        foreach (var (executor, _) in _lastPing.Where(executor => executor.Value + rules.ExecutorLifetime < step.Now).ToList())
        {
            Move(_index.HeldBy(executor), new TaskEvent.Interrupted(), limit, moves, step);
            if (_index.HeldBy(executor).Count == 0)
            {
                _lastPing.Remove(executor);
            }
        }

        return (IReadOnlyList<TaskMove>)moves;
    }, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        Carry(Duty.AbortOverdue, _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        Carry(Duty.RestartPeriodic, _ => new TaskEvent.NextPeriod(NewJobId()), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        Carry(Duty.WakeWait, _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        Carry(Duty.QueueDue, task => new TaskEvent.QueueDue(task.HasResults), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        Carry(Duty.RequeueFailed, _ => new TaskEvent.CheckRetry(), limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) => Step<TimeSpan?>(step =>
    {
        var next = _index.NextDutyTicks();
        if (_lastPing.Count > 0)
        {
            next = Math.Min(next ?? long.MaxValue, (_lastPing.Values.Min() + rules.ExecutorLifetime).UtcTicks + 1);
        }

        return next is { } ticks ? TimeSpan.FromTicks(Math.Max(0, ticks - step.Now.UtcTicks)) : null;
    }, cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var claimed = new List<ExecutorTask>();
            foreach (var task in taskIds.Select(_index.Find))
            {
                Claim(executor, task, claimed, step);
            }

            return (IReadOnlyList<ExecutorTask>)claimed;
        }, cancellationToken);

    public ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var answers = new ReportAnswer[reports.Count];
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = Record(reports[i], step);
            }

            return (IReadOnlyList<ReportAnswer>)answers;
        }, cancellationToken);

    public ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Step(step =>
        {
            _lastPing[executor.Id] = step.Now;
            return Lost(claims);
        }, cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken) => Step(
        _ => (IReadOnlyList<ExecutorPing>)[.. _lastPing.Select(executor => new ExecutorPing(executor.Key, executor.Value))], cancellationToken);

    public ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Step(_ => Lost(claims), cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var moves = new List<TaskMove>();
            var claims = known.Select(held => held.Claim).ToHashSet();
            Move([.. _index.HeldBy(executorId).Where(task => !claims.Contains(task.State.Claim!.Value))], new TaskEvent.GivenBack(), int.MaxValue, moves, step);
            return (IReadOnlyList<TaskMove>)moves;
        }, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var moves = new List<TaskMove>();
            Move(_index.HeldBy(executorId), new TaskEvent.GivenBack(), int.MaxValue, moves, step);
            _lastPing.Remove(executorId);
            return (IReadOnlyList<TaskMove>)moves;
        }, cancellationToken);

    public IDisposable Listen(Action<StoreHint> listener) => _listeners.Add(listener);

    /// <summary>The memory queue's claim: the QUEUED tasks are the queue.</summary>
    internal ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(ClaimRequest request, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var claimed = new List<ExecutorTask>();
            var bytes = 0L;
            while (claimed.Count < request.MaxTasks
                && _index.FirstQueued(request.Executor.Apps) is { } task
                && (claimed.Count == 0 || bytes + task.Bytes <= request.MaxBytes))
            {
                bytes += task.Bytes;
                if (!Claim(request.Executor, task, claimed, step))
                {
                    break;
                }
            }

            return (IReadOnlyList<ExecutorTask>)claimed;
        }, cancellationToken);

    /// <summary>True if there is something to claim.</summary>
    internal bool HasQueued(IReadOnlyList<string> apps)
    {
        lock (_lock)
        {
            return _index.FirstQueued(apps) is not null;
        }
    }

    private CreateAnswer Create(TaskDefinition definition, OnConflict onConflict, StepState step)
    {
        var result = CreateResult.Created;
        if (_index.Find(definition.Id!) is { } known)
        {
            var state = known.State.State;
            if (onConflict == OnConflict.Skip)
            {
                return new CreateAnswer(known.Id, CreateResult.Skipped, state);
            }

            if (onConflict == OnConflict.Fail || state is not (TaskState.Idle or TaskState.Finished or TaskState.Failed))
            {
                return new CreateAnswer(known.Id, CreateResult.Refused, state);
            }

            _index.Remove(known);
            step.Hint(StoreHintKinds.Ended, known.Id);
            result = CreateResult.Replaced;
        }

        var task = new MemoryTask(definition, TaskLifecycle.Create(definition, NewJobId(), step.Now), step.Now, _sequence++, []);
        _index.Add(task);
        step.Hint(task.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.Duty, task.Id);
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
        step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, task.Id);
        return new ImportAnswer(task.Id, CreateResult.Created, state.Claim);
    }

    private UpdateAnswer Update(TaskDefinition definition, int revision, StepState step)
    {
        if (_index.Find(definition.Id!) is not { } task)
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
        step.Hint(StoreHintKinds.Duty | (task.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.None), task.Id);
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

    private IReadOnlyList<Guid> Lost(IReadOnlyList<HeldClaim> claims) =>
        [.. claims.Where(held => _index.Find(held.TaskId)?.State.Claim != held.Claim).Select(held => held.Claim)];

    private ValueTask<IReadOnlyList<TaskMove>> Carry(Duty duty, Func<MemoryTask, TaskEvent> happened, int limit, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var moves = new List<TaskMove>();
            while (moves.Count < limit && _index.FirstDue(duty, step.Now) is { } task)
            {
                var from = task.State.State;
                if (Happen(task, happened(task), step))
                {
                    moves.Add(task.MoveFrom(from));
                }
                else
                {
                    // Such as a cron expression without another occurrence: nothing to do until something else happens to it.
                    MemoryIndex.Drop(task);
                }
            }

            return (IReadOnlyList<TaskMove>)moves;
        }, cancellationToken);

    private void Move(IReadOnlyCollection<MemoryTask> tasks, TaskEvent happened, int limit, List<TaskMove> moves, StepState step)
    {
        foreach (var task in tasks.OrderBy(task => task.Sequence).Take(limit - moves.Count).ToList())
        {
            var from = task.State.State;
            if (Happen(task, happened, step))
            {
                moves.Add(task.MoveFrom(from));
            }
        }
    }

    private bool Happen(string taskId, TaskEvent happened, StepState step) =>
        _index.Find(taskId) is { } task && Happen(task, happened, step);

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
            step.Hint(StoreHintKinds.Notified, task.Id);
        }

        HintAt(before, task, happened, step);
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
            step.LostChains.Add((finished.Id, next, result));
        }
    }

    private static void HintAt(ManagedState before, MemoryTask task, TaskEvent happened, StepState step)
    {
        if (task.State.State == TaskState.Queued)
        {
            step.Hint(StoreHintKinds.Queued, task.Id);
        }

        if (task.Place is { } && task.State.State is not TaskState.Queued)
        {
            step.Hint(StoreHintKinds.Duty, task.Id);
        }

        if (task.State.HasEnded || task.State.JobId != before.JobId)
        {
            step.Hint(StoreHintKinds.Ended, task.Id);
        }

        // The holder that reports or gives back knows it already.
        if (before.Claim is not null && task.State.Claim != before.Claim && happened is not (TaskEvent.Reported or TaskEvent.GivenBack))
        {
            step.Hint(StoreHintKinds.ClaimLost, task.Id);
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

    private ValueTask<T> Step<T>(Func<StepState, T> act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StepState step;
        T answer;
        lock (_lock)
        {
            // The time too, so that steps are in the order of their times.
            step = new StepState(clock.GetUtcNow());
            answer = act(step);
        }

        _listeners.Tell(step.Hints);
        foreach (var (finished, chained, result) in step.LostChains)
        {
            Log.ChainLost(_logger, finished, chained, result);
        }

        return ValueTask.FromResult(answer);
    }

    /// <summary>One step: its time, and the hints to give when the lock is released.</summary>
    private sealed class StepState(DateTimeOffset now)
    {
        public DateTimeOffset Now { get; } = now;

        public StoreHint Hints { get; private set; }

        /// <summary>Starts of next tasks that could not be, to be logged when the lock is released.</summary>
        public List<(string Finished, string Next, ChainResult Result)> LostChains { get; } = [];

        public void Hint(StoreHintKinds kinds, string taskId) =>
            Hints = new StoreHint(Hints.Kinds | kinds, Hints.Kinds == StoreHintKinds.None || Hints.TaskId == taskId ? taskId : null);
    }
}

/// <summary><see cref="TaskLifecycle.Next"/>, or what a test puts in its place.</summary>
internal delegate Transition? LifecycleFunction(TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules);
