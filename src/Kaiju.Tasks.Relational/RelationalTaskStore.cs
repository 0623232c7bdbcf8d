using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>A store in a database. Each of its parts answers one kind of caller.</summary>
internal abstract class RelationalTaskStore : ITaskStore
{
    public abstract ITransactionalCreation InCallersTransaction { get; }

    /// <summary>The members for the store's queue.</summary>
    internal abstract QueueClaims Claims { get; }

    protected abstract ReportRecording Reports { get; }

    protected abstract ExecutorPort Executors { get; }

    protected abstract TaskCreation Creation { get; }

    protected abstract TaskReading Reading { get; }

    protected abstract TaskSteering Steering { get; }

    protected abstract ManagerDuties Duties { get; }

    protected abstract NotificationStore Notifications { get; }

    protected abstract HintListeners Listeners { get; }

    public ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken) =>
        Creation.CreateAsync(tasks, onConflict, context, cancellationToken);

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken) =>
        Creation.ImportAsync(tasks, executors, context, cancellationToken);

    public ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken) =>
        Steering.UpdateAsync(definition, revision, context, cancellationToken);

    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        Steering.DeleteAsync(taskId, context, cancellationToken);

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        Steering.ResetAsync(taskId, context, cancellationToken);

    public ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken) =>
        Steering.RetryAsync(taskId, change, context, cancellationToken);

    public ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken) =>
        Steering.ChangeManyAsync(request, context, cancellationToken);

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        Steering.CancelAsync(taskId, context, cancellationToken);

    public ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        Steering.SendMessageAsync(taskId, data, context, cancellationToken);

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        Reading.GetAsync(taskId, cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        Reading.GetRunAsync(taskId, jobId, cancellationToken);

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) =>
        Reading.FindEndedRunsAsync(runs, cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        Reading.ListRunsAsync(taskId, cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        Reading.GetStagesAsync(taskId, cancellationToken);

    public ValueTask<TaskPage> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        Reading.ListAsync(query, after, limit, cancellationToken);

    public ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        Reading.CountAsync(query, after, limit, cancellationToken);

    public ValueTask<bool> PauseAsync(TaskPause pause, CallContext context, CancellationToken cancellationToken) =>
        Steering.PauseAsync(pause, context, cancellationToken);

    public ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken) =>
        Steering.ResumeAsync(appName, method, context, cancellationToken);

    public ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken) =>
        Reading.ListPausesAsync(cancellationToken);

    public ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken) =>
        Duties.WatchAsync(cancellationToken);

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        Duties.FindUnattendedAsync(age, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) =>
        Duties.ExpelDeadExecutorsAsync(asOf, limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        Duties.AbortOverdueAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        Duties.RestartPeriodicAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        Duties.WakeWaitsAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        Duties.QueueDueAsync(limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        Duties.RequeueFailedAsync(limit, cancellationToken);

    public ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken) =>
        Duties.RepairHoldsAsync(limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        Duties.GetTimeToNextDutyAsync(cancellationToken);

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken) =>
        Duties.DeleteEndedAsync(state, age, limit, cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        Executors.ClaimAsync(executor, taskIds, cancellationToken);

    public ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        Reports.RecordAsync(reports, cancellationToken);

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
        Notifications.ListNotificationsAsync(query, after, limit, cancellationToken);

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        Notifications.MarkReadAsync(ids, cancellationToken);

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(
        int limit, CancellationToken cancellationToken) =>
        Notifications.ListUndeliveredAsync(limit, cancellationToken);

    public ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        Notifications.MarkDeliveredAsync(ids, cancellationToken);

    public ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken) =>
        Notifications.DeleteNotificationsAsync(age, limit, cancellationToken);

    public IDisposable Listen(Action<StoreHint> listener) => Listeners.Add(listener);
}
