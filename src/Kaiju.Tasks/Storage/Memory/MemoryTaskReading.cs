namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Reads tasks in memory for clients. The answers are snapshots.</summary>
internal sealed class MemoryTaskReading(MemoryState state)
{
    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Tasks.Find(taskId)?.Snapshot());
    }

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Tasks.Find(taskId)?.FindRun(jobId));
    }

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new([.. runs.Where(run => !IsGoingOn(run))]);
    }

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Tasks.Find(taskId)?.Runs() ?? []);
    }

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Tasks.Find(taskId)?.Stages() ?? []);
    }

    public ValueTask<TaskPage> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var tasks = state.Tasks.Select(query, after)
            .Take(limit)
            .Select(task => task.Snapshot())
            .ToList();
        return new(
            new TaskPage
            {
                Items = tasks,
                Next = tasks.Count < limit ? null : new TaskCursor(tasks[^1].Created, tasks[^1].Id),
            });
    }

    public ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(new CountPage { Count = state.Tasks.Select(query, after).Take(limit).Count() });
    }

    public ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(
            [.. state.Routing.Pauses.Where(pause => pause.IsInForce(step.Now))
                .OrderBy(pause => pause.AppName ?? "", StringComparer.Ordinal)
                .ThenBy(pause => pause.Method ?? "", StringComparer.Ordinal)]);
    }

    private bool IsGoingOn(AwaitedRun run) =>
        state.Tasks.Find(run.TaskId)?.State is { HasEnded: false } current && current.JobId == run.JobId;
}
