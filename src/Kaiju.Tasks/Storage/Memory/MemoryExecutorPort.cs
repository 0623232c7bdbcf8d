using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>The calls of executors about tasks in memory: claims, reports, heartbeats.</summary>
internal sealed class MemoryExecutorPort(MemoryState state)
{
    // Nearly every call has one report.
    private static readonly ReportAnswer[] _recorded = [ReportAnswer.Recorded];
    private static readonly ReportAnswer[] _superseded = [ReportAnswer.Superseded];

    /// <summary>Claims tasks for the memory queue, which consists of the QUEUED tasks.</summary>
    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var claimed = new List<ExecutorTask>();
        var bytes = 0L;
        var (apps, commands) = ServedBy(step, request.Executor);
        while (claimed.Count < request.MaxTasks
            && state.Tasks.FirstQueued(apps, commands) is { } task
            && (claimed.Count == 0 || bytes + task.Bytes <= request.MaxBytes))
        {
            bytes += task.Bytes;
            if (!Claim(step, request.Executor, commands, task, claimed))
            {
                break;
            }
        }

        return new(claimed);
    }

    /// <summary>True if there is a task to claim.</summary>
    public bool HasQueued(ExecutorInfo executor)
    {
        using var step = state.BeginStep(CancellationToken.None);
        var (apps, commands) = ServedBy(step, executor);
        return state.Tasks.FirstQueued(apps, commands) is not null;
    }

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var claimed = new List<ExecutorTask>();
        var commands = ServedBy(step, executor).Commands;
        foreach (var taskId in taskIds)
        {
            if (state.Tasks.Find(taskId) is { } task
                && !state.Routing.Holds.IsPaused(task.Definition.AppName!, step.Now))
            {
                Claim(step, executor, commands, task, claimed);
            }
        }

        return new(claimed);
    }

    public ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        if (reports is [var only])
        {
            return new(Record(step, only) == ReportAnswer.Recorded ? _recorded : _superseded);
        }

        var answers = new ReportAnswer[reports.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = Record(step, reports[i]);
        }

        return new(answers);
    }

    public ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        state.LastPings[executor.Id] = step.Now;
        state.Routing.Announce(executor, state.Tasks, step.Now);
        return new(FindLost(claims));
    }

    public ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new([.. state.LastPings.Select(executor => new ExecutorPing(executor.Key, executor.Value))]);
    }

    public ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(FindLost(claims));
    }

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var moves = new MemoryMoves(step);
        moves.MoveEach(FindStrays(executorId, known), new TaskEvent.GivenBack());
        return new(moves.Made);
    }

    public ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new([.. FindStrays(executorId, known).Select(ClaimOf).Take(limit)]);
    }

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var moves = new MemoryMoves(step);
        var given = claims.ToHashSet();
        moves.MoveEach(
            state.Tasks.HeldBy(executorId).Where(task => given.Contains(ClaimOf(task))), new TaskEvent.GivenBack());
        return new(moves.Made);
    }

    public ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var moves = new MemoryMoves(step);
        moves.MoveEach(state.Tasks.HeldBy(executorId), new TaskEvent.GivenBack());
        state.LastPings.Remove(executorId);
        state.Routing.Forget(executorId, state.Tasks, step.Now);
        return new(moves.Made);
    }

    /// <summary>The apps of an executor that are not paused, and the commands that it has announced.</summary>
    private (IReadOnlyList<string> Apps, IReadOnlyCollection<string>? Commands) ServedBy(
        MemoryStep step, ExecutorInfo executor)
    {
        var (holds, apps) = (state.Routing.Holds, executor.Apps);
        if (holds.HasPausedApps)
        {
            apps = [.. apps.Where(app => !holds.IsPaused(app, step.Now))];
        }

        return (apps, state.Routing.Announced(executor.Id)?.Commands);
    }

    private bool Claim(
        MemoryStep step,
        ExecutorInfo executor,
        IReadOnlyCollection<string>? commands,
        MemoryTask task,
        List<ExecutorTask> claimed)
    {
        if (!step.ApplyEvent(task, new TaskEvent.Claimed(executor.Id, state.NewId(), commands)))
        {
            return false;
        }

        state.LastPings.TryAdd(executor.Id, step.Now);
        claimed.Add(task.ForExecutor(step.Now));
        return true;
    }

    private ReportAnswer Record(MemoryStep step, StageReport report)
    {
        if (state.Tasks.Find(report.TaskId) is not { } task)
        {
            return ReportAnswer.Superseded;
        }

        var isRecorded = step.ApplyEvent(task, new TaskEvent.Reported(report))
            || TaskLifecycle.IsRecorded(task.State, task.FindEntry(report.Id), report.Id);
        return isRecorded ? ReportAnswer.Recorded : ReportAnswer.Superseded;
    }

    private IReadOnlyList<Guid> FindLost(IReadOnlyList<HeldClaim> claims) =>
        [.. claims.Where(held => state.Tasks.Find(held.TaskId)?.State.Claim != held.Claim).Select(held => held.Claim)];

    /// <summary>Finds tasks that the executor holds with claims that it does not list.</summary>
    private IEnumerable<MemoryTask> FindStrays(string executorId, IReadOnlyList<HeldClaim> known)
    {
        var claims = known.Select(held => held.Claim).ToHashSet();
        return state.Tasks.HeldBy(executorId).Where(task => !claims.Contains(task.State.Claim!.Value));
    }

    private static HeldClaim ClaimOf(MemoryTask held) => new(held.Id, held.State.Claim!.Value);
}
