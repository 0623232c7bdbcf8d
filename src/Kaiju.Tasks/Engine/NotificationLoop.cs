using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>When sinks get notifications: when a hint says that there is one, and at least once every poll interval.</summary>
internal sealed class NotificationLoop(ITaskStore store, IEnumerable<INotificationSink> sinks, TimeProvider clock, KaijuTasksOptions options)
{
    private const int Batch = 100;

    private readonly IReadOnlyList<INotificationSink> _sinks = [.. sinks];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Notified))
            {
                wake.Set();
            }
        });

        // What a sink throws ends this loop, which is logged, and begun again after a while; what was not delivered comes again.
        while (!cancellationToken.IsCancellationRequested)
        {
            // Fewer than a batch may have: others may follow, since a batch is bounded in bytes too.
            if (await DeliverAsync(cancellationToken).ConfigureAwait(false) == 0)
            {
                await wake.WaitAsync(options.PollInterval, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Delivers one batch; how many there were.</summary>
    public async Task<int> DeliverAsync(CancellationToken cancellationToken)
    {
        var notifications = await store.ListUndeliveredAsync(Batch, cancellationToken).ConfigureAwait(false);
        foreach (var notification in notifications)
        {
            foreach (var sink in _sinks)
            {
                await sink.DeliverAsync(notification, cancellationToken).ConfigureAwait(false);
            }

            await store.MarkDeliveredAsync([notification.Id], cancellationToken).ConfigureAwait(false);
        }

        return notifications.Count;
    }
}
