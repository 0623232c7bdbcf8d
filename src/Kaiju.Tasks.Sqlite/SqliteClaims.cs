using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Sqlite;

/// <summary>The outcome of a claim.</summary>
internal enum ClaimOutcome
{
    /// <summary>Tasks were claimed, or there were none.</summary>
    Done,

    /// <summary>There were tasks, and all of them were set aside.</summary>
    SetAside,
}

/// <summary>Claims tasks for the queue, each with a guarded statement of its own.</summary>
internal sealed class SqliteClaims(SqliteSession session, StoreParts parts) : QueueClaims(session, parts)
{
    private static readonly string[] _claimArguments = ["@task_no", "@claim", "@executor", "@now", "@grace"];
    private static readonly string[] _taskArgument = ["@task_no"];

    private readonly SqliteSession _session = session;
    private readonly StoreParts _parts = parts;

    public override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken) => _session.WriteAsync<IReadOnlyList<ExecutorTask>>(
        async step =>
        {
            var claimed = new List<ExecutorTask>();
            for (var tries = 0; tries < MostRepeated; tries++)
            {
                // If all of them were set aside, other tasks may be next.
                if (await ClaimAsync((SqliteStep)step, request, claimed).ConfigureAwait(false)
                    != ClaimOutcome.SetAside)
                {
                    break;
                }
            }

            if (claimed.Count > 0)
            {
                await ClaimRows.KnowAsync(step, request.Executor).ConfigureAwait(false);
            }

            return claimed;
        },
        cancellationToken);

    /// <summary>Claims the next tasks and adds them to the claimed ones.</summary>
    private async ValueTask<ClaimOutcome> ClaimAsync(SqliteStep step, ClaimRequest request, List<ExecutorTask> claimed)
    {
        var (now, faults) = (await step.NowAsync().ConfigureAwait(false), new List<RowFault>());
        foreach (var task in Within(request, await FindQueuedAsync(step, request).ConfigureAwait(false)))
        {
            if (await ClaimAsync(step, request.Executor, task, now, faults).ConfigureAwait(false) is { } claim)
            {
                claimed.Add(claim);
            }
        }

        var isSetAside = faults.Count > 0
            && faults.TrueForAll(fault => _parts.Aside.Leave(RowsAside.Claiming, fault))
            && claimed.Count == 0;
        return isSetAside ? ClaimOutcome.SetAside : ClaimOutcome.Done;
    }

    private async ValueTask<List<QueuedRow>> FindQueuedAsync(SqliteStep step, ClaimRequest request)
    {
        var isRouted = await IsRoutedAsync(request.Executor, () => LookAsync(step, request.Executor))
            .ConfigureAwait(false);
        var routes = isRouted
            ? await step.QueryAsync(
                "routes",
                row => (App: row.GetString(0), Method: row.TextOrNull(1)),
                Argument.Texts("apps", request.Executor.Apps.Distinct()),
                Argument.Text("executor", request.Executor.Id)).ConfigureAwait(false)
            : request.Executor.Apps.Distinct().Select(app => (App: app, Method: default(string))).ToList();
        var queued = new List<QueuedRow>();
        foreach (var (app, method) in routes)
        {
            var name = method is null ? "queued" : "queued_for_some";
            queued.AddRange(await step.QueryAsync(
                _parts.Aside.WithoutClaims(step.Sql[name], _session.ExceptClause),
                row => new QueuedRow(row.GetInt64(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)),
                [
                    Argument.Text("app", app),
                    .. method is null ? [] : new[] { Argument.Text("method", method) },
                    Argument.Integer("most", request.MaxTasks),
                    _parts.Aside.Except(RowsAside.Claiming),
                ]).ConfigureAwait(false));
        }

        return queued;
    }

    /// <summary>
    /// The first of the queued tasks that fit into one request: at least one, within its bounds of tasks and bytes.
    /// </summary>
    private static IEnumerable<long> Within(ClaimRequest request, List<QueuedRow> queued)
    {
        var bytes = 0L;
        return queued.OrderByDescending(row => row.Priority).ThenBy(row => row.QueuedAt).ThenBy(row => row.TaskNo)
            .Take(request.MaxTasks)
            .TakeWhile((row, place) => (bytes += row.Bytes) <= request.MaxBytes || place == 0)
            .Select(row => row.TaskNo);
    }

    /// <summary>Claims a queued task. A task that this version cannot read is noted and does not change.</summary>
    private async ValueTask<ExecutorTask?> ClaimAsync(
        SqliteStep step, ExecutorInfo executor, long taskNo, DateTimeOffset now, List<RowFault> faults)
    {
        var claim = _parts.Ids.NewId();
        if (ReadQueued(step, executor, taskNo, claim, now, faults) is not var (task, results, runNo, pass))
        {
            return null;
        }

        if (results > 0)
        {
            try
            {
                var read = await ClaimRows.ResultsAsync(step, taskNo, runNo, pass).ConfigureAwait(false);
                task = task.WithResult(read);
            }
            catch (JsonException e)
            {
                faults.Add(new RowFault(taskNo, task.Id, e));
                return null;
            }
        }

        var changed = step.KeptOpen("claim", _claimArguments)
            .With(taskNo).With(claim).With(executor.Id).With(Ticks.Of(now))
                .With(_parts.Rules.AbortGrace.Ticks).Change();
        return changed == 0 ? null : task;
    }

    /// <summary>Reads a queued task as it is once it has the claim.</summary>
    private static (ExecutorTask Task, int Results, int RunNo, int Pass)? ReadQueued(
        SqliteStep step, ExecutorInfo executor, long taskNo, Guid claim, DateTimeOffset now, List<RowFault> faults)
    {
        using var row = step.KeptOpen("claimed", _taskArgument).With(taskNo).Run();
        var id = row.Text(9);
        try
        {
            var jobId = row.Text(0);
            var (retries, freeRetries) = TaskRowColumns.SplitRetries(row.Integer(2), row.Integer(12));
            var state = new ManagedState
            {
                State = TaskState.Executing,
                ExecutorId = executor.Id,
                Claim = claim,
                JobId = jobId,
                ResultRun = jobId,
                Pass = row.Integer(1),
                Retries = retries,
                FreeRetries = freeRetries,
                StageRetries = row.Integer(13),
                Changes = row.TextOrNull(14) is { } changes ? RunChanges.FromJson(changes) : null,
                Stage = row.Integer(3),
                QueuedAt = Ticks.Time(row.Long(11)),
                ExecDeadline = now + TimeSpan.FromTicks(row.Long(4)),
            };
            var definition = ReaderExtensions.ParseDefinition(row.Bytes(10), id, row.Text(8));
            var task = ExecutorTask.Of(definition, state, [], now, taskNo);
            return (task, row.Integer(5), row.Integer(6), row.Integer(7));
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            faults.Add(new RowFault(taskNo, id, e));
            return null;
        }
    }

    private readonly record struct QueuedRow(long TaskNo, int Priority, long QueuedAt, long Bytes);
}
