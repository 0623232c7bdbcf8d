namespace Kaiju.Tasks.Storage;

/// <summary>
/// What is left at a task's end: for users, who list and read notifications, and for sinks, which they are delivered
/// to.
/// </summary>
public interface ITaskNotifications
{
    /// <summary>A page of notifications, the newest first.</summary>
    /// <param name="query">The notifications to list.</param>
    /// <param name="after">The position after which the page begins; null for the first page.</param>
    /// <param name="limit">The largest number of notifications.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// A page that has cost a bounded number of rows and bytes, so that it may be short or empty although others
    /// follow.
    /// </returns>
    ValueTask<NotificationPage> ListNotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Marks notifications as read.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>How many were not read before.</returns>
    ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>Notifications that no sink has had yet, oldest first.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// None if there are none; fewer than <paramref name="limit"/> may be answered although others follow, since bytes
    /// are bounded too.
    /// </returns>
    ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Notes that sinks have had notifications.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes notifications that are older than <paramref name="age"/>, whether they are read and delivered or not.
    /// </summary>
    /// <param name="age">Since they were left.</param>
    /// <param name="limit">How many at most, the oldest first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>How many are gone.</returns>
    ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken);
}
