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
internal sealed partial class MemoryTaskStore(TimeProvider clock, LifecycleRules rules, IdSource ids, LifecycleFunction next) : ITaskStore
{
    private readonly Lock _lock = new();
    private readonly MemoryIndex _index = new(rules);
    private readonly MemoryNotifications _notifications = new();
    private readonly Dictionary<string, DateTimeOffset> _lastPing = new(StringComparer.Ordinal);
    private readonly HintListeners _listeners = new();
    private readonly ILogger _logger = NullLogger.Instance;
    private readonly StepState _step = new();
    private readonly PriorityQueue<MemoryTask, DateTimeOffset> _aside = new();
    private StoreWatch? _watch;
    private long _sequence;

    public MemoryTaskStore(TimeProvider clock, LifecycleRules rules, IdSource ids, ILogger<MemoryTaskStore> logger)
        : this(clock, rules, ids, TaskLifecycle.Next)
    {
        _logger = logger.Guarded();
        _listeners = new HintListeners(e => Log.ListenerFailed(_logger, e));
    }

    public ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CallContext context, CancellationToken cancellationToken)
    {
        // All of them before any: what throws here leaves nothing half done.
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task);
        }

        return Step<IReadOnlyList<CreateAnswer>>(step => [.. tasks.Select(task => Create(task, onConflict, context, step))], cancellationToken);
    }

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, CallContext context, CancellationToken cancellationToken)
    {
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task.Definition);
        }

        return Step(step => ImportAll(tasks, executors, step), cancellationToken);
    }

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Snapshot(), cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.FindRun(jobId), cancellationToken);

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) => Step(
        _ => (IReadOnlyList<AwaitedRun>)[.. runs.Where(run => _index.Find(run.TaskId)?.State is not { HasEnded: false } state || state.JobId != run.JobId)],
        cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Runs() ?? [], cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        Step(_ => _index.Find(taskId)?.Stages() ?? [], cancellationToken);

    public ValueTask<UpdateAnswer> UpdateAsync(TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken)
    {
        TaskDefinitionChecker.ThrowIfNotPrepared(definition);
        return Step(step => Update(definition, revision, context, step), cancellationToken);
    }

    public ValueTask<TaskPage> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) => Step(
        _ =>
        {
            var tasks = _index.InOrder(query, after).Where(task => Fits(task, query)).Take(limit).Select(task => task.Snapshot()).ToList();
            return new TaskPage(tasks, tasks.Count < limit ? null : new TaskCursor(tasks[^1].Created, tasks[^1].Id));
        },
        cancellationToken);

    public ValueTask<NotificationPage> ListNotificationsAsync(NotificationQuery query, int limit, CancellationToken cancellationToken) => Step(
        _ =>
        {
            var page = _notifications.List(query, limit);
            return new NotificationPage(page, page.Count < limit ? null : page[^1].Id);
        },
        cancellationToken);

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

    public ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken) =>
        Step(step => _notifications.Delete(step.Now - age, limit), cancellationToken);

    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken) => Step(step =>
    {
        if (Find(taskId, context) is not { } task)
        {
            return false;
        }

        _index.Remove(task);
        step.Hint(StoreHintKinds.Ended | (task.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost), task);
        return true;
    }, cancellationToken);

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(TimeSpan age, int limit, CancellationToken cancellationToken) => Step(step =>
    {
        var ended = new List<string>();
        while (ended.Count < limit && _index.FirstEnded(step.Now - age) is { } task)
        {
            _index.Remove(task);
            ended.Add(task.Id);
            step.Hint(StoreHintKinds.Ended, task);
        }

        return (IReadOnlyList<string>)ended;
    }, cancellationToken);

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, context, new TaskEvent.Reset(NewJobId()), step), cancellationToken);

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, context, new TaskEvent.Cancelled(), step), cancellationToken);

    public ValueTask<bool> SendMessageAsync(string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        Step(step => Happen(taskId, context, new TaskEvent.MessageSent(data), step), cancellationToken);

    public ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken) => Step(step =>
    {
        var watch = StoreWatch.Next(_watch, step.Now, rules);
        _watch = watch;
        return new WatchAnswer(step.Now, watch.Since, FirstPing());
    }, cancellationToken);

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) => Step(step =>
    {
        var before = step.Now - age;
        return new UnattendedWork(
            step.Now, _watch?.Last, _index.NextDutyTicks() <= before.UtcTicks, [.. _index.UnservedApps(before).Take(UnattendedWork.MostApps)]);
    }, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) => Step(step =>
    {
        var moves = new List<TaskMove>();
        var alive = (asOf ?? step.Now) - rules.ExecutorLifetime;
        foreach (var (executor, _) in _lastPing.Where(executor => executor.Value < alive).ToList())
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
        Carry(step => _index.FirstOverdue(step.Now), _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        Carry(TaskDuty.RestartPeriodic, _ => new TaskEvent.NextPeriod(NewJobId()), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        Carry(TaskDuty.WakeWait, _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        Carry(TaskDuty.QueueDue, task => new TaskEvent.QueueDue(task.HasResults), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        Carry(TaskDuty.RequeueFailed, _ => new TaskEvent.CheckRetry(), limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) => Step<TimeSpan?>(step =>
    {
        TakeBack(step.Now);
        var next = _index.NextDutyTicks();
        if (StoreWatch.FirstExpulsion(_watch, FirstPing(), step.Now, rules) is { } death)
        {
            next = Math.Min(next ?? long.MaxValue, death.UtcTicks);
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
        Step(
            reports,
            static (store, reports, step) =>
            {
                var answers = new ReportAnswer[reports.Count];
                for (var i = 0; i < answers.Length; i++)
                {
                    answers[i] = store.Record(reports[i], step);
                }

                return (IReadOnlyList<ReportAnswer>)answers;
            },
            cancellationToken);

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

    public ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        Step(_ =>
        {
            var claims = known.Select(held => held.Claim).ToHashSet();
            var strays = _index.HeldBy(executorId).Select(task => new HeldClaim(task.Id, task.State.Claim!.Value)).Where(held => !claims.Contains(held.Claim));
            return (IReadOnlyList<HeldClaim>)[.. strays.Take(limit)];
        }, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Step(step =>
        {
            var moves = new List<TaskMove>();
            var given = claims.ToHashSet();
            Move([.. _index.HeldBy(executorId).Where(task => given.Contains(new HeldClaim(task.Id, task.State.Claim!.Value)))], new TaskEvent.GivenBack(), int.MaxValue, moves, step);
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
}
