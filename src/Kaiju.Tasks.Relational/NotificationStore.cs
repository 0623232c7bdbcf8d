using System.Data.Common;
using System.Text.Json;

namespace Kaiju.Tasks.Relational;

/// <summary>The store's members for notifications.</summary>
internal sealed class NotificationStore(SqlSession session, StoreParts parts)
{
    public ValueTask<NotificationPage> ListNotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken) =>
        session.ReadAsync(
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
                    Argument.Long("before", after?.Id ?? long.MaxValue),
                    Argument.Integer("scanned", TaskReading.MostScanned),
                ];
                var rows = await step.QueryAsync(
                    name,
                    row => (
                        Id: row.GetInt64(0),
                        Notification: ReadNotification(row, "list notifications"),
                        Found: row.GetInt32(11)),
                    [.. scan, Argument.Flag("is_read", query.IsRead), Argument.Integer("most", limit), Argument.Long(
                        "most_bytes", Pieces.MostBytes)]).ConfigureAwait(false);
                List<TaskNotification> page = [.. rows.Select(row => row.Notification).OfType<TaskNotification>()];
                if (rows.Count > 0 && (rows.Count == limit || rows.Count < rows[0].Found))
                {
                    return new NotificationPage { Items = page, Next = new NotificationCursor(rows[^1].Id) };
                }

                var last = await step.QueryAsync($"{name}_last", row => row.GetInt64(0), scan).ConfigureAwait(false);
                return new NotificationPage
                {
                    Items = page,
                    Next = last.Count == 0 ? null : new NotificationCursor(last[0]),
                };
            },
            cancellationToken);

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        List<long> tried = [];
        return session.WriteAsync(
            async step =>
            {
                // Notifications that a try marked read stay read: if its answer was lost after the commit, the next
                // try does not answer them again.
                var read = await step.QueryAsync(
                    "mark_read", row => row.GetInt64(0), Argument.Longs("ids", ids)).ConfigureAwait(false);
                tried = step.IsRepeated && !tried.Exists(read.Contains) ? [.. tried, .. read] : read;
                return tried.Count;
            },
            cancellationToken);
    }

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(
        int limit, CancellationToken cancellationToken) =>
        session.ReadAsync<IReadOnlyList<TaskNotification>>(
            async step =>
            {
                var rows = await step.QueryAsync(
                    "list_undelivered",
                    row => ReadNotification(row, "deliver"),
                    Argument.Integer("most", limit),
                    Argument.Long("most_bytes", Pieces.MostBytes),
                    parts.Aside.Except("deliver")).ConfigureAwait(false);
                return [.. rows.OfType<TaskNotification>()];
            },
            cancellationToken);

    public async ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken) =>
        await session.WriteAsync(
            step => step.ExecuteAsync("mark_delivered", Argument.Longs("ids", ids)),
            cancellationToken).ConfigureAwait(false);

    public ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        List<long> tried = [];
        return session.WriteAsync(
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

    /// <summary>True if the notification still exists.</summary>
    private static async ValueTask<bool> IsThereAsync(SqlStep step, long notification) =>
        (await step.QueryAsync(
            "list_notifications_last",
            row => row.GetInt64(0),
            Argument.Long("before", notification + 1),
            Argument.Integer("scanned", 1)).ConfigureAwait(false))
            .Contains(notification);

    /// <summary>Reads a notification; null if this version cannot read it.</summary>
    private TaskNotification? ReadNotification(DbDataReader row, string work)
    {
        try
        {
            return ReadNotification(row);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            parts.Aside.LeaveOut(work, new RowFault(row.GetInt64(0), row.GetString(1), e));
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
