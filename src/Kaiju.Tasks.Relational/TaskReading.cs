using System.Data.Common;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>The store's members that read tasks, their runs and their history.</summary>
internal sealed class TaskReading(SqlSession session, StoreParts parts)
{
    /// <summary>The most rows that a page reads to find its tasks. See docs/decisions/0006.</summary>
    internal const int MostScanned = 10_000;

    /// <summary>The last row that a page may read; null if the page has read all rows.</summary>
    public static async ValueTask<TaskCursor?> FindLastScannedAsync(SqlStep step, ListStatement list)
    {
        var last = await step.QueryAsync(
            list.LastScanned,
            row => new TaskCursor(row.Time(0), row.GetString(1)),
            [.. list.Arguments, Argument.Integer("scanned", MostScanned)]).ConfigureAwait(false);
        return last.Count == 0 ? null : last[0];
    }

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) => session.ReadAsync(
        async step => (await step.QueryAsync(
            "get", ReadTask, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault(),
        cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        session.ReadAsync<TaskRun?>(
        async step =>
        {
            var (row, results) = (await step.QueryAsync(
                "get", ReadRow, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault();
            if (row is null)
            {
                return null;
            }

            if (row.State.JobId == jobId)
            {
                return row.State.HasEnded ? TaskRun.Of(taskId, row.State, results) : null;
            }

            var runs = await step.QueryAsync(
                "get_run",
                HistoryRows.ReadRun(taskId),
                Argument.Long("task_no", row.TaskNo),
                Argument.Text("job_id", jobId)).ConfigureAwait(false);
            return runs.FirstOrDefault();
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) =>
        runs.Count == 0
            ? ValueTask.FromResult<IReadOnlyList<AwaitedRun>>([])
            : session.ReadAsync<IReadOnlyList<AwaitedRun>>(
                async step => await step.QueryAsync(
                    "ended_runs",
                    row => runs[row.GetInt32(0)],
                    Argument.Texts("ids", runs.Select(run => run.TaskId)),
                    Argument.Texts("jobs", runs.Select(run => run.JobId))).ConfigureAwait(false),
                cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        session.ReadAsync<IReadOnlyList<TaskRun>>(
        async step =>
        {
            var (row, results) = (await step.QueryAsync(
                "get", ReadRow, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault();
            if (row is null)
            {
                return [];
            }

            var runs = await step.QueryAsync(
                "list_runs", HistoryRows.ReadRun(taskId), Argument.Long("task_no", row.TaskNo)).ConfigureAwait(false);

            // A separate statement: otherwise a run that ended in between would occur twice.
            return row.State.HasEnded
                ? [TaskRun.Of(taskId, row.State, results), .. runs.Where(run => run.JobId != row.State.JobId)]
                : runs;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        session.ReadAsync<IReadOnlyList<StageEntry>>(
        async step => await step.QueryAsync(
            "get_stages", HistoryRows.ReadEntry, Argument.Text("id", taskId)).ConfigureAwait(false),
        cancellationToken);

    public ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken) =>
        session.ReadAsync<IReadOnlyList<TaskPause>>(
        async step =>
        {
            var now = await step.NowAsync().ConfigureAwait(false);
            var pauses = await RoutingRows.ListPausesAsync(step).ConfigureAwait(false);
            return pauses.FindAll(pause => pause.IsInForce(now));
        },
        cancellationToken);

    public ValueTask<TaskPage> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) => session.ReadAsync(
        async step =>
        {
            var list = ListStatement.Of(query, after, step.Sql);
            var rows = await step.QueryAsync(
                list.Text,
                ReadListed,
                [.. list.Arguments, Argument.Integer("most", limit), Argument.Integer(
                    "scanned", MostScanned), Argument.Long("most_bytes", Pieces.MostBytes)]).ConfigureAwait(false);
            List<TaskRecord> tasks = [.. rows.Select(row => row.Task).OfType<TaskRecord>()];
            if (rows.Count > 0 && (rows.Count == limit || rows.Count < rows[0].Found))
            {
                return new TaskPage { Items = tasks, Next = rows[^1].Place };
            }

            // A short page: either all rows were read, or as many as one page may read.
            return new TaskPage
            {
                Items = tasks,
                Next = await FindLastScannedAsync(step, list).ConfigureAwait(false),
            };
        },
        cancellationToken);

    public ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) => session.ReadAsync(
        async step =>
        {
            var list = ListStatement.Of(query, after, step.Sql);
            var counted = await step.QueryAsync(
                list.Count,
                row => row.GetInt32(0),
                [.. list.Arguments, Argument.Integer("most", limit), Argument.Integer("scanned", MostScanned)])
                .ConfigureAwait(false);
            return new CountPage
            {
                Count = counted[0],
                Next = counted[0] == limit ? null : await FindLastScannedAsync(step, list).ConfigureAwait(false),
            };
        },
        cancellationToken);

    private TaskRecord ReadTask(DbDataReader row)
    {
        try
        {
            return TaskRow.Read(row, parts.Rules).Snapshot(row.Results(TaskRowColumns.Read.Length));
        }
        catch (Exception e) when (RowFault.IsOfReading(e) && e is not JsonException)
        {
            throw RowFault.Of(row, e).ToException();
        }
    }

    /// <summary>
    /// Reads a row of a page. A task that this version cannot read is left out and logged, so that the list stays
    /// usable.
    /// </summary>
    private (TaskCursor Place, TaskRecord? Task, int Found) ReadListed(DbDataReader row)
    {
        var (place, found) = (TaskRow.CursorOf(row), row.GetInt32(TaskRowColumns.Read.Length + 1));
        try
        {
            return (place, ReadTask(row), found);
        }
        catch (JsonException e)
        {
            parts.Aside.LeaveOut("list", RowFault.Of(row, e));
            return (place, null, found);
        }
    }

    private (TaskRow Row, IReadOnlyList<JsonElement> Results) ReadRow(DbDataReader row) =>
        (TaskRow.Read(row, parts.Rules), row.Results(TaskRowColumns.Read.Length));
}
