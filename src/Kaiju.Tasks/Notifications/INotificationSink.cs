namespace Kaiju.Tasks;

/// <summary>
/// Receives the notifications of all tasks in the store, for example to send them by mail or to log them. Register it
/// as a service in hosts with the Manager role. Each notification is delivered at least once, oldest first. If the sink
/// throws, the notification is delivered again, and later ones wait for it.
/// </summary>
public interface INotificationSink
{
    /// <summary>Handles one notification.</summary>
    /// <param name="notification">
    /// The notification. Its <see cref="TaskNotification.Id"/> is the same at every delivery.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the host stops.</param>
    ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken);
}
