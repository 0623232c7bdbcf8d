namespace Kaiju.Tasks.Storage;

/// <summary>
/// The notifications of tasks: for users, who list and read them, and for sinks, to which they are delivered.
/// </summary>
public interface ITaskNotifications
{
    /// <summary>Lists a page of notifications, the newest first.</summary>
    /// <param name="query">The notifications to list.</param>
    /// <param name="after">The position after which the page begins; null for the first page.</param>
    /// <param name="limit">The most notifications.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// The page. It may be short or empty although others follow, since a page reads a bounded number of rows and
    /// bytes.
    /// </returns>
    ValueTask<NotificationPage> ListNotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Marks notifications as read.</summary>
    /// <param name="ids">The numbers of the notifications.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>The number of notifications that were unread before.</returns>
    ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>Lists notifications that were not delivered to a sink yet, oldest first.</summary>
    /// <param name="limit">The most notifications.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// The notifications; empty if there are none. They may be fewer than <paramref name="limit"/> although others
    /// follow, since their bytes are bounded too.
    /// </returns>
    ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Marks notifications as delivered to the sinks.</summary>
    /// <param name="ids">The numbers of the notifications.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes notifications that are older than <paramref name="age"/>, even if they are unread or undelivered.
    /// </summary>
    /// <param name="age">The least time since the notification was stored.</param>
    /// <param name="limit">The most notifications to delete, the oldest first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>The number of deleted notifications.</returns>
    ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken);
}
