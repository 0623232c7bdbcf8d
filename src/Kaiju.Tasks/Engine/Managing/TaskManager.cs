using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// The work of a manager. One tick runs all duties once, and each duty sees the results of the previous ones. Any
/// number of managers may tick at once; the store prevents that work is done twice.
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

    /// <summary>The time until the next duty is due, as far as the store knows; null if it knows of none.</summary>
    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        store.GetTimeToNextDutyAsync(cancellationToken);

    /// <summary>Records in the store that a manager is active. See <see cref="WatchLoop"/>.</summary>
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
    /// Expels executors that missed their pings. Only time in which the store was available counts, up to the moment of
    /// the watch: the store may become unavailable between the two calls.
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
            // A failed duty does not prevent the others.
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

/// <summary>The result of one tick.</summary>
internal sealed class TickReport
{
    /// <summary>The number of moved tasks.</summary>
    public int Moved { get; private set; }

    /// <summary>True if a duty reached its limit for one tick, so that more tasks may be due.</summary>
    public bool HasMore { get; private set; }

    /// <summary>The number of failed duties.</summary>
    public int Faults { get; set; }

    public void Add(IReadOnlyList<TaskMove> moves, int limit)
    {
        Moved += moves.Count;
        HasMore |= moves.Count >= limit;
    }
}
