using System.Text.Json;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// A store in this process's memory: for tests, for development, and for tasks that may be lost with the process. Each
/// member is one step of <see cref="MemoryState"/>. The lifecycle and the routing are parameters, so that tests can
/// check that a broken rule is noticed.
/// </summary>
internal sealed class MemoryTaskStore(MemoryState state) : ITaskStore
{
    private readonly MemoryTaskCreation _creation = new(state);
    private readonly MemoryTaskReading _reading = new(state);
    private readonly MemoryTaskSteering _steering = new(state);
    private readonly MemoryManagerDuties _duties = new(state);
    private readonly MemoryNotificationStore _notifications = new(state);

    public MemoryTaskStore(TimeProvider clock, LifecycleRules rules, IdSource ids, ILogger<MemoryTaskStore> logger)
        : this(new MemoryState(clock, rules, ids, TaskLifecycle.Next, RoutingFunctions.Unchanged, logger.Guarded()))
    {
    }

    public MemoryTaskStore(
        TimeProvider clock,
        LifecycleRules rules,
        IdSource ids,
        LifecycleFunction next,
        RoutingFunctions? routing = null)
        : this(new MemoryState(clock, rules, ids, next, routing ?? RoutingFunctions.Unchanged, NullLogger.Instance))
    {
    }

    public ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken) =>
        _creation.CreateAsync(tasks, onConflict, context, cancellationToken);

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken) =>
        _creation.ImportAsync(tasks, executors, cancellationToken);

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.GetAsync(taskId, cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        _reading.GetRunAsync(taskId, jobId, cancellationToken);

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) =>
        _reading.FindEndedRunsAsync(runs, cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.ListRunsAsync(taskId, cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.GetStagesAsync(taskId, cancellationToken);

    public ValueTask<TaskPage> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        _reading.ListAsync(query, after, limit, cancellationToken);

    public ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        _reading.CountAsync(query, after, limit, cancellationToken);

    public ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken) =>
        _steering.UpdateAsync(definition, revision, context, cancellationToken);

    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        _steering.DeleteAsync(taskId, context, cancellationToken);

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        _steering.ResetAsync(taskId, context, cancellationToken);

    public ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken) =>
        _steering.RetryAsync(taskId, change, context, cancellationToken);

    public ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken) =>
        _steering.ChangeManyAsync(request, context, cancellationToken);

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        _steering.CancelAsync(taskId, context, cancellationToken);

    public ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        _steering.SendMessageAsync(taskId, data, context, cancellationToken);

    public ValueTask<bool> PauseAsync(TaskPause pause, CallContext context, CancellationToken cancellationToken) =>
        _steering.PauseAsync(pause, context, cancellationToken);

    public ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken) =>
        _steering.ResumeAsync(appName, method, context, cancellationToken);

    public ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken) =>
        _reading.ListPausesAsync(cancellationToken);

    public ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken) =>
        _duties.WatchAsync(cancellationToken);

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        _duties.FindUnattendedAsync(age, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) =>
        _duties.ExpelDeadExecutorsAsync(asOf, limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        _duties.AbortOverdueAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        _duties.RestartPeriodicAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        _duties.WakeWaitsAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        _duties.QueueDueAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        _duties.RequeueFailedAsync(limit, cancellationToken);

    public ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken) =>
        _duties.RepairHoldsAsync(limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        _duties.GetTimeToNextDutyAsync(cancellationToken);

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken) =>
        _duties.DeleteEndedAsync(state, age, limit, cancellationToken);

    internal MemoryExecutorPort Executors { get; } = new(state);

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        Executors.ClaimAsync(executor, taskIds, cancellationToken);

    public ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        Executors.RecordAsync(reports, cancellationToken);

    public ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Executors.HeartbeatAsync(executor, claims, cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken) =>
        Executors.ListExecutorsAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Executors.FindLostClaimsAsync(claims, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken) =>
        Executors.GiveBackStrayClaimsAsync(executorId, known, cancellationToken);

    public ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        Executors.FindStrayClaimsAsync(executorId, known, limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Executors.GiveBackClaimsAsync(executorId, claims, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken) =>
        Executors.SuspendExecutorAsync(executorId, cancellationToken);

    public ValueTask<NotificationPage> ListNotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken) =>
        _notifications.ListAsync(query, after, limit, cancellationToken);

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        _notifications.MarkReadAsync(ids, cancellationToken);

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(
        int limit, CancellationToken cancellationToken) =>
        _notifications.ListUndeliveredAsync(limit, cancellationToken);

    public ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        _notifications.MarkDeliveredAsync(ids, cancellationToken);

    public ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken) =>
        _notifications.DeleteAsync(age, limit, cancellationToken);

    public IDisposable Listen(Action<StoreHint> listener) => state.Listeners.Add(listener);
}
