using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests;

/// <summary>A store that forwards every call; derived classes change some of them.</summary>
internal abstract class DecoratedStore(ITaskStore inner) : ITaskStore
{
    public virtual ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken) =>
        Call(nameof(CreateAsync), () => inner.CreateAsync(tasks, onConflict, context, cancellationToken));

    public virtual ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken) =>
        Call(nameof(ImportAsync), () => inner.ImportAsync(tasks, executors, context, cancellationToken));

    public virtual ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        Call(nameof(GetAsync), () => inner.GetAsync(taskId, cancellationToken));

    public virtual ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        Call(nameof(GetRunAsync), () => inner.GetRunAsync(taskId, jobId, cancellationToken));

    public virtual ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) =>
        Call(nameof(FindEndedRunsAsync), () => inner.FindEndedRunsAsync(runs, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(
        string taskId, CancellationToken cancellationToken) =>
        Call(nameof(ListRunsAsync), () => inner.ListRunsAsync(taskId, cancellationToken));

    public virtual ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(
        string taskId, CancellationToken cancellationToken) =>
        Call(nameof(GetStagesAsync), () => inner.GetStagesAsync(taskId, cancellationToken));

    public virtual ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(UpdateAsync), () => inner.UpdateAsync(definition, revision, context, cancellationToken));

    public virtual ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        Call(nameof(MarkReadAsync), () => inner.MarkReadAsync(ids, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(
        int limit, CancellationToken cancellationToken) =>
        Call(nameof(ListUndeliveredAsync), () => inner.ListUndeliveredAsync(limit, cancellationToken));

    public virtual async ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        await Call(nameof(MarkDeliveredAsync), async () =>
        {
            await inner.MarkDeliveredAsync(ids, cancellationToken);
            return true;
        });

    public virtual ValueTask<TaskPage> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        Call(nameof(ListAsync), () => inner.ListAsync(query, after, limit, cancellationToken));

    public virtual ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        Call(nameof(CountAsync), () => inner.CountAsync(query, after, limit, cancellationToken));

    public virtual ValueTask<NotificationPage> ListNotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken) =>
        Call(
            nameof(ListNotificationsAsync), () => inner.ListNotificationsAsync(query, after, limit, cancellationToken));

    public virtual ValueTask<int> DeleteNotificationsAsync(
        TimeSpan age, int limit, CancellationToken cancellationToken) =>
        Call(nameof(DeleteNotificationsAsync), () => inner.DeleteNotificationsAsync(age, limit, cancellationToken));

    public virtual ValueTask<bool> DeleteAsync(
        string taskId,
        CallContext context,
        CancellationToken cancellationToken) => Call(nameof(DeleteAsync),
        () => inner.DeleteAsync(taskId, context, cancellationToken));

    public virtual ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken) =>
        Call(nameof(DeleteEndedAsync), () => inner.DeleteEndedAsync(state, age, limit, cancellationToken));

    public virtual ValueTask<bool> ResetAsync(
        string taskId,
        CallContext context,
        CancellationToken cancellationToken) => Call(nameof(ResetAsync),
        () => inner.ResetAsync(taskId, context, cancellationToken));

    public virtual ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(RetryAsync), () => inner.RetryAsync(taskId, change, context, cancellationToken));

    public virtual ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(ChangeManyAsync), () => inner.ChangeManyAsync(request, context, cancellationToken));

    public virtual ValueTask<bool> CancelAsync(
        string taskId,
        CallContext context,
        CancellationToken cancellationToken) => Call(nameof(CancelAsync),
        () => inner.CancelAsync(taskId, context, cancellationToken));

    public virtual ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(SendMessageAsync), () => inner.SendMessageAsync(taskId, data, context, cancellationToken));

    public virtual ValueTask<bool> PauseAsync(
        TaskPause pause, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(PauseAsync), () => inner.PauseAsync(pause, context, cancellationToken));

    public virtual ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken) =>
        Call(nameof(ResumeAsync), () => inner.ResumeAsync(appName, method, context, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken) =>
        Call(nameof(ListPausesAsync), () => inner.ListPausesAsync(cancellationToken));

    public virtual ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken) =>
        Call(nameof(RepairHoldsAsync), () => inner.RepairHoldsAsync(limit, cancellationToken));

    public virtual ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        Call(nameof(FindUnattendedAsync), () => inner.FindUnattendedAsync(age, cancellationToken));

    public virtual ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken) =>
        Call(nameof(WatchAsync), () => inner.WatchAsync(cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) =>
        Call(nameof(ExpelDeadExecutorsAsync), () => inner.ExpelDeadExecutorsAsync(asOf, limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(
        int limit, CancellationToken cancellationToken) =>
        Call(nameof(AbortOverdueAsync), () => inner.AbortOverdueAsync(limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(
        int limit, CancellationToken cancellationToken) =>
        Call(nameof(RestartPeriodicAsync), () => inner.RestartPeriodicAsync(limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        Call(nameof(WakeWaitsAsync), () => inner.WakeWaitsAsync(limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        Call(nameof(QueueDueAsync), () => inner.QueueDueAsync(limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(
        int limit, CancellationToken cancellationToken) =>
        Call(nameof(RequeueFailedAsync), () => inner.RequeueFailedAsync(limit, cancellationToken));

    public virtual ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        Call(nameof(GetTimeToNextDutyAsync), () => inner.GetTimeToNextDutyAsync(cancellationToken));

    public virtual ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        Call(nameof(ClaimAsync), () => inner.ClaimAsync(executor, taskIds, cancellationToken));

    public virtual ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        Call(nameof(RecordAsync), () => inner.RecordAsync(reports, cancellationToken));

    public virtual ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Call(nameof(HeartbeatAsync), () => inner.HeartbeatAsync(executor, claims, cancellationToken));

    public virtual ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken) =>
        Call(nameof(ListExecutorsAsync), () => inner.ListExecutorsAsync(cancellationToken));

    public virtual ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Call(nameof(FindLostClaimsAsync), () => inner.FindLostClaimsAsync(claims, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken) =>
        Call(
            nameof(GiveBackStrayClaimsAsync),
            () => inner.GiveBackStrayClaimsAsync(executorId, known, cancellationToken));

    public virtual ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        Call(
            nameof(FindStrayClaimsAsync),
            () => inner.FindStrayClaimsAsync(executorId, known, limit, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Call(nameof(GiveBackClaimsAsync), () => inner.GiveBackClaimsAsync(executorId, claims, cancellationToken));

    public virtual ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken) =>
        Call(nameof(SuspendExecutorAsync), () => inner.SuspendExecutorAsync(executorId, cancellationToken));

    public virtual ITransactionalCreation? InCallersTransaction => inner.InCallersTransaction;

    public virtual IDisposable Listen(Action<StoreHint> listener) => inner.Listen(listener);

    /// <summary>The queue over this store receives its hints of queued tasks.</summary>
    public virtual bool HintsReachQueue => true;

    protected virtual ValueTask<T> Call<T>(string member, Func<ValueTask<T>> pass) => pass();
}

/// <summary>A store whose hints are lost, all of them or some.</summary>
internal sealed class DeafStore(ITaskStore inner, StoreHintKinds lost = (StoreHintKinds)~0) : DecoratedStore(inner)
{
    public override bool HintsReachQueue => !lost.HasFlag(StoreHintKinds.Queued);

    public override IDisposable Listen(Action<StoreHint> listener) => base.Listen(hint =>
    {
        if ((hint.Kinds & ~lost) != StoreHintKinds.None)
        {
            listener(new StoreHint(hint.Kinds & ~lost, hint.Apps, hint.TaskIds));
        }
    });
}

/// <summary>A store that refuses listeners for a while.</summary>
internal sealed class UnwillingStore(ITaskStore inner, Func<bool> refuses) : DecoratedStore(inner)
{
    public override IDisposable Listen(Action<StoreHint> listener) =>
        refuses() ? throw new IOException("No hints now.") : base.Listen(listener);
}

/// <summary>A store that fails on request: before the step, or after it, so that the answer is lost.</summary>
internal sealed class FaultyStore(ITaskStore inner) : DecoratedStore(inner)
{
    public Func<string, bool> FailsBefore { get; set; } = _ => false;

    public Func<string, bool> FailsAfter { get; set; } = _ => false;

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ITaskQueue queue, ClaimRequest request, CancellationToken cancellationToken) =>
        Call("ClaimNext", () => queue.ClaimAsync(request, cancellationToken));

    protected override async ValueTask<T> Call<T>(string member, Func<ValueTask<T>> pass)
    {
        if (FailsBefore(member))
        {
            throw new IOException($"{member} did not get through.");
        }

        var answer = await pass();
        return FailsAfter(member) ? throw new IOException($"The answer of {member} is lost.") : answer;
    }
}
