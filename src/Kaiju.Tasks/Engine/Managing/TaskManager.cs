using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// What a manager does: one tick goes once through all duties, each seeing the work of the one before. Any number of
/// managers may tick at once; the store sees to it that nothing is done twice.
/// </summary>
internal sealed class TaskManager(
    ITaskStore store, ITaskQueue queue, KaijuTasksOptions options, StoreOutages outages, ILogger<TaskManager> logger)
{
    private readonly LifecycleRules _rules = options.Rules;
    private readonly ILogger _logger = logger.Guarded();

    public async Task<TickReport> TickAsync(CancellationToken cancellationToken)
    {
        var report = new TickReport();
        (string Name, Func<int, CancellationToken, ValueTask<IReadOnlyList<TaskMove>>> Run)[] duties =
        [
            ("expel dead executors", ExpelDeadExecutorsAsync),
            ("abort overdue runs", store.AbortOverdueAsync),
            ("restart periodic tasks", store.RestartPeriodicAsync),
            ("wake waits", store.WakeWaitsAsync),
            ("queue due tasks", store.QueueDueAsync),
            ("requeue failed tasks", store.RequeueFailedAsync),
        ];
        foreach (var (name, run) in duties)
        {
            await RunDutyAsync(name, run, report, cancellationToken).ConfigureAwait(false);
        }

        return report;
    }

    /// <summary>How long until there is something to do, as far as the store can see.</summary>
    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        store.GetTimeToNextDutyAsync(cancellationToken);

    /// <summary>Writes to the store that a manager is there. See <see cref="WatchLoop"/>.</summary>
    public async ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken)
    {
        var watch = await store.WatchAsync(cancellationToken).ConfigureAwait(false);
        if (watch.Since == watch.Now)
        {
            Log.WatchBegins(_logger, _rules.ExecutorLifetime);
        }

        return watch;
    }

    /// <summary>
    /// Silence is held against an executor only while the store was there for it to ping, and only up to the time at
    /// which that was known: the store may go away between the two questions.
    /// </summary>
    private async ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        int limit, CancellationToken cancellationToken)
    {
        var watch = await WatchAsync(cancellationToken).ConfigureAwait(false);
        return watch.IsExpulsionDue(_rules)
            ? await store.ExpelDeadExecutorsAsync(watch.Now, limit, cancellationToken).ConfigureAwait(false)
            : [];
    }

    private async Task RunDutyAsync(
        string duty,
        Func<int, CancellationToken, ValueTask<IReadOnlyList<TaskMove>>> run,
        TickReport report,
        CancellationToken cancellationToken)
    {
        try
        {
            var moves = await run(options.ManagerBatch, cancellationToken).ConfigureAwait(false);
            foreach (var move in moves)
            {
                Report(move);
            }

            report.Add(moves, options.ManagerBatch);
            var queued = moves.Where(move => move.To == TaskState.Queued)
                .Select(move => new QueuedTask(move.TaskId, move.AppName)).ToList();
            if (queued.Count > 0)
            {
                await queue.PublishAsync(queued, cancellationToken).ConfigureAwait(false);
            }

            outages.Succeeded(duty);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // One duty that fails keeps none of the others from being done.
            report.Faults++;
            outages.Failed(duty, e);
        }
    }

    private void Report(TaskMove move)
    {
        Log.TaskMoved(_logger, move.TaskId, move.JobId, move.From, move.To);
        if (move.To != TaskState.Failed)
        {
            return;
        }

        if (move.RetryAt is { } retryAt)
        {
            Log.TaskFailed(_logger, move.TaskId, move.JobId, move.From, move.Reason, retryAt);
        }
        else
        {
            Log.TaskFailedForGood(_logger, move.TaskId, move.JobId, move.From, move.Reason);
        }
    }
}

/// <summary>What one tick did.</summary>
internal sealed class TickReport
{
    /// <summary>Tasks that were moved.</summary>
    public int Moved { get; private set; }

    /// <summary>Some duty has moved all that it may in one tick, so there may be more.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Duties that failed.</summary>
    public int Faults { get; set; }

    public void Add(IReadOnlyList<TaskMove> moves, int limit)
    {
        Moved += moves.Count;
        HasMore |= moves.Count >= limit;
    }
}
