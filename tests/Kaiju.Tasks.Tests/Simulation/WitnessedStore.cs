using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The store itself; the checker observes every step.</summary>
internal sealed class WitnessedStore(MemoryTaskStore store, Checker checker, string speaker) : DecoratedStore(store)
{
    private readonly MemoryTaskStore _store = store;

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken)
    {
        var answers = await base.CreateAsync(tasks, onConflict, context, cancellationToken);
        for (var i = 0; i < answers.Count; i++)
        {
            checker.Created(tasks[i], answers[i], _store);
        }

        return answers;
    }

    public override async ValueTask<bool> DeleteAsync(
        string taskId, CallContext context, CancellationToken cancellationToken)
    {
        var isDeleted = await base.DeleteAsync(taskId, context, cancellationToken);
        if (isDeleted)
        {
            checker.Deleted(taskId);
        }

        return isDeleted;
    }

    public override async ValueTask<bool> PauseAsync(
        TaskPause pause, CallContext context, CancellationToken cancellationToken)
    {
        var isPaused = await base.PauseAsync(pause, context, cancellationToken);
        checker.Routing.Paused(pause);
        return isPaused;
    }

    public override async ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken)
    {
        var isResumed = await base.ResumeAsync(appName, method, context, cancellationToken);
        if (isResumed)
        {
            checker.Routing.Resumed(appName, method);
        }

        return isResumed;
    }

    public override async ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken)
    {
        var repair = await base.RepairHoldsAsync(limit, cancellationToken);
        var queued = await _store.ListAsync(
            new TaskQuery { State = TaskState.Queued }, null, int.MaxValue, cancellationToken);
        checker.Routing.Repaired(repair, queued.Items);
        return repair;
    }

    public override ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        WatchClaimAsync(executor, () => _store.ClaimAsync(executor, taskIds, cancellationToken));

    public async ValueTask<IReadOnlyList<ExecutorTask>> WatchClaimAsync(
        ExecutorInfo executor, Func<ValueTask<IReadOnlyList<ExecutorTask>>> claim)
    {
        var claimed = await Call(nameof(ClaimAsync), claim);
        foreach (var task in claimed)
        {
            checker.Executions.Claimed(task);
        }

        if (claimed.Count > 0)
        {
            checker.Pings.TryAdd(executor.Id, checker.Now);
        }

        return claimed;
    }

    public override async ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var due = reports.Select(checker.Executions.IsDue).ToList();
        var answers = await base.RecordAsync(reports, cancellationToken);
        for (var i = 0; i < answers.Count; i++)
        {
            checker.Executions.Answered(reports[i], due[i], answers[i]);
        }

        return answers;
    }

    public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        var lost = await base.HeartbeatAsync(executor, claims, cancellationToken);
        checker.Pings[executor.Id] = checker.Now;
        checker.Routing.Announced(executor);
        CheckLost(claims, lost);
        return lost;
    }

    public override async ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        var lost = await base.FindLostClaimsAsync(claims, cancellationToken);
        CheckLost(claims, lost);
        return lost;
    }

    public override async ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken)
    {
        checker.ExpelsAsOf = asOf ?? checker.Now;
        var moves = await base.ExpelDeadExecutorsAsync(asOf, limit, cancellationToken);
        checker.Routing.Keep(await _store.ListExecutorsAsync(cancellationToken));
        return moves;
    }

    public override ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken)
    {
        checker.GivesBack = executorId;
        return base.GiveBackStrayClaimsAsync(executorId, known, cancellationToken);
    }

    public override ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        checker.GivesBack = executorId;
        return base.GiveBackClaimsAsync(executorId, claims, cancellationToken);
    }

    public override async ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken)
    {
        checker.GivesBack = executorId;
        var moves = await base.SuspendExecutorAsync(executorId, cancellationToken);
        checker.Routing.Keep(await _store.ListExecutorsAsync(cancellationToken));
        return moves;
    }

    protected override ValueTask<T> Call<T>(string member, Func<ValueTask<T>> pass)
    {
        checker.Begin(speaker, member);
        var answer = pass();
        checker.End(_store);
        return answer;
    }

    private void CheckLost(IReadOnlyList<HeldClaim> claims, IReadOnlyList<Guid> lost)
    {
        var expected = claims.Where(
            held => !checker.Tasks.TryGetValue(held.TaskId, out var task) || task.IsDeleted
                || task.State.Claim != held.Claim)
            .Select(held => held.Claim);
        checker.Expect(
            lost.SequenceEqual(expected),
            "I3",
            () =>
                $"{speaker} gets the lost claims {string.Join(", ", lost)}; they are {string.Join(", ", expected)}");
    }
}
