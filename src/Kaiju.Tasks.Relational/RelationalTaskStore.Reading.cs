using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>What clients look at.</content>
internal abstract partial class RelationalTaskStore
{
    /// <summary>A page reads at most so many rows of those that it looks through.</summary>
    internal const int MostScanned = 10_000;

    public ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) => ReadAsync(
        async step => (await step.QueryAsync("get", ReadTask, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault(), cancellationToken);

    public ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken) => ReadAsync<TaskRun?>(
        async step =>
        {
            var (row, results) = (await step.QueryAsync("get", ReadRow, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault();
            if (row is null)
            {
                return null;
            }

            if (row.State.JobId == jobId)
            {
                return row.State.HasEnded ? TaskRun.Of(taskId, row.State, results) : null;
            }

            var runs = await step.QueryAsync("get_run", ReadRun(taskId), Argument.Long("task_no", row.TaskNo), Argument.Text("job_id", jobId)).ConfigureAwait(false);
            return runs.FirstOrDefault();
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken) =>
        runs.Count == 0
            ? ValueTask.FromResult<IReadOnlyList<AwaitedRun>>([])
            : ReadAsync<IReadOnlyList<AwaitedRun>>(
                async step => await step.QueryAsync(
                    "ended_runs",
                    row => runs[row.GetInt32(0)],
                    Argument.Texts("ids", runs.Select(run => run.TaskId)),
                    Argument.Texts("jobs", runs.Select(run => run.JobId))).ConfigureAwait(false),
                cancellationToken);

    public ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<TaskRun>>(
        async step =>
        {
            var (row, results) = (await step.QueryAsync("get", ReadRow, Argument.Text("id", taskId)).ConfigureAwait(false)).FirstOrDefault();
            if (row is null)
            {
                return [];
            }

            var runs = await step.QueryAsync("list_runs", ReadRun(taskId), Argument.Long("task_no", row.TaskNo)).ConfigureAwait(false);

            // Read apart: a run that ended in between would be there twice.
            return row.State.HasEnded ? [TaskRun.Of(taskId, row.State, results), .. runs.Where(run => run.JobId != row.State.JobId)] : runs;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<StageEntry>>(
        async step => await step.QueryAsync("get_stages", ReadEntry, Argument.Text("id", taskId)).ConfigureAwait(false), cancellationToken);

    public ValueTask<TaskPage> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) => ReadAsync(
        async step =>
        {
            var list = ListStatement.Of(query, after, step.Sql);
            var rows = await step.QueryAsync(
                list.Text,
                ReadListed,
                [.. list.Arguments, Argument.Integer("most", limit), Argument.Integer("scanned", MostScanned), Argument.Long("most_bytes", Pieces.MostBytes)]).ConfigureAwait(false);
            List<TaskRecord> tasks = [.. rows.Select(row => row.Task).OfType<TaskRecord>()];
            if (rows.Count > 0 && (rows.Count == limit || rows.Count < rows[0].Found))
            {
                return new TaskPage(tasks, rows[^1].Place);
            }

            // Fewer than were asked for: either all are seen, or as many rows are as one page may look through.
            var last = await step.QueryAsync(
                list.LastScanned, row => new TaskCursor(row.Time(0), row.GetString(1)), [.. list.Arguments, Argument.Integer("scanned", MostScanned)]).ConfigureAwait(false);
            return new TaskPage(tasks, last.Count == 0 ? null : last[0]);
        },
        cancellationToken);

    public ValueTask<NotificationPage> ListNotificationsAsync(NotificationQuery query, int limit, CancellationToken cancellationToken) =>
        ReadAsync(
            async step =>
            {
                var name = query switch
                {
                    { TaskId: not null } => "list_notifications_of_task",
                    { UserId: not null } => "list_notifications_of_user",
                    _ => "list_notifications",
                };
                Argument[] scan =
                [
                    Argument.Text("task_id", query.TaskId),
                    Argument.Text("user_id", query.UserId),
                    Argument.Long("before", query.Before ?? long.MaxValue),
                    Argument.Integer("scanned", MostScanned),
                ];
                var rows = await step.QueryAsync(
                    name,
                    row => (Id: row.GetInt64(0), Notification: ReadNotification(row, "list notifications"), Found: row.GetInt32(11)),
                    [.. scan, Argument.Flag("is_read", query.IsRead), Argument.Integer("most", limit), Argument.Long("most_bytes", Pieces.MostBytes)]).ConfigureAwait(false);
                List<TaskNotification> page = [.. rows.Select(row => row.Notification).OfType<TaskNotification>()];
                if (rows.Count > 0 && (rows.Count == limit || rows.Count < rows[0].Found))
                {
                    return new NotificationPage(page, rows[^1].Id);
                }

                var last = await step.QueryAsync($"{name}_last", row => row.GetInt64(0), scan).ConfigureAwait(false);
                return new NotificationPage(page, last.Count == 0 ? null : last[0]);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<TaskNotification>>(
            async step =>
            {
                var rows = await step.QueryAsync(
                    "list_undelivered",
                    row => ReadNotification(row, "deliver"),
                    Argument.Integer("most", limit),
                    Argument.Long("most_bytes", Pieces.MostBytes),
                    Except("deliver")).ConfigureAwait(false);
                return [.. rows.OfType<TaskNotification>()];
            },
            cancellationToken);

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        List<long> tried = [];
        return WriteAsync(
            async step =>
            {
                // What is read stays read: if a try whose answer was lost was committed, none of its notifications comes again.
                var read = await step.QueryAsync("mark_read", row => row.GetInt64(0), Argument.Longs("ids", ids)).ConfigureAwait(false);
                tried = step.IsRepeated && !tried.Exists(read.Contains) ? [.. tried, .. read] : read;
                return tried.Count;
            },
            cancellationToken);
    }

    public async ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        await WriteAsync(step => step.ExecuteAsync("mark_delivered", Argument.Longs("ids", ids)), cancellationToken).ConfigureAwait(false);

    public ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        List<long> tried = [];
        return WriteAsync(
            async step =>
            {
                if (step.IsRepeated && tried.Count > 0 && !await IsThereAsync(step, tried.Max()).ConfigureAwait(false))
                {
                    return tried.Count;
                }

                tried = await step.QueryAsync(
                    "delete_notifications",
                    row => row.GetInt64(0),
                    Argument.Long("before", Ticks.Of(await step.NowAsync().ConfigureAwait(false) - age)),
                    Argument.Integer("most", limit)).ConfigureAwait(false);
                return tried.Count;
            },
            cancellationToken);
    }

    /// <summary>True if the notification is still there.</summary>
    private static async ValueTask<bool> IsThereAsync(SqlStep step, long notification) =>
        (await step.QueryAsync("list_notifications_last", row => row.GetInt64(0), Argument.Long("before", notification + 1), Argument.Integer("scanned", 1)).ConfigureAwait(false))
            .Contains(notification);

    private TaskRecord ReadTask(DbDataReader row)
    {
        try
        {
            return TaskRow.Read(row, rules).Snapshot(row.Results(TaskRowColumns.Read.Length));
        }
        catch (Exception e) when (RowFault.IsOfReading(e) && e is not System.Text.Json.JsonException)
        {
            throw RowFault.Of(row, e).ToException();
        }
    }

    /// <summary>A row of a page. A task that this version cannot read is left out and said in the log: it must not make the list useless.</summary>
    private (TaskCursor Place, TaskRecord? Task, int Found) ReadListed(DbDataReader row)
    {
        var (place, found) = (TaskRow.CursorOf(row), row.GetInt32(TaskRowColumns.Read.Length + 1));
        try
        {
            return (place, ReadTask(row), found);
        }
        catch (System.Text.Json.JsonException e)
        {
            LeaveOut("list", RowFault.Of(row, e));
            return (place, null, found);
        }
    }

    private (TaskRow Row, IReadOnlyList<System.Text.Json.JsonElement> Results) ReadRow(DbDataReader row) =>
        (TaskRow.Read(row, rules), row.Results(TaskRowColumns.Read.Length));

    private static Func<DbDataReader, TaskRun> ReadRun(string taskId) => row => new TaskRun
    {
        TaskId = taskId,
        JobId = row.GetString(0),
        State = (TaskState)row.GetInt32(1),
        ExitCode = (TaskExitCode?)row.IntegerOrNull(2),
        Error = row.ErrorOrNull(3),
        Retries = row.GetInt32(4),
        Occurrence = row.TimeOrNull(5),
        Chain = (ChainResult)row.GetInt32(6),
        QueuedAt = row.TimeOrNull(7),
        Ended = row.Time(8),
        Result = row.Results(9),
    };

    private static StageEntry ReadEntry(DbDataReader row) => new()
    {
        JobId = row.GetString(0),
        Pass = row.GetInt32(1),
        Stage = row.GetInt32(2),
        Attempt = row.GetInt32(3),
        Started = row.Time(4),
        Finished = row.Time(5),
        Result = row.IsDBNull(6) ? default : System.Text.Json.JsonElement.Parse(row.GetString(6)),
        Error = row.ErrorOrNull(7),
    };

    /// <summary>A notification; null if this version cannot read it.</summary>
    private TaskNotification? ReadNotification(DbDataReader row, string work)
    {
        try
        {
            return ReadNotification(row);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            LeaveOut(work, new RowFault(row.GetInt64(0), row.GetString(1), e));
            return null;
        }
    }

    private static TaskNotification ReadNotification(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        TaskId = row.GetString(1),
        JobId = row.GetString(2),
        UserId = row.TextOrNull(3),
        State = (TaskState)row.GetInt32(4),
        IsFinal = row.GetBoolean(5),
        ExitCode = (TaskExitCode?)row.IntegerOrNull(6),
        Error = row.ErrorOrNull(7),
        Result = row.Results(8),
        Created = row.Time(9),
        IsRead = row.GetBoolean(10),
    };
}
