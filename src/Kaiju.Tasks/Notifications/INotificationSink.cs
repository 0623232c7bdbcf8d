namespace Kaiju.Tasks;

/// <summary>
/// Gets the notifications of all tasks over the store, for the host to pass on: by mail, to a socket, to a log.
/// Register it as a service in hosts with the manager's role. Each notification comes at least once, oldest first; one
/// that throws comes again later, and those behind it wait for it.
/// </summary>
public interface INotificationSink
{
    /// <summary>Takes one notification.</summary>
    /// <param name="notification">
    /// The notification; its <see cref="TaskNotification.Id"/> is the same when it comes again.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the host stops.</param>
    ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken);
}
