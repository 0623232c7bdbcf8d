using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When sinks get notifications: when a hint says that there is one, and at least once every poll interval.
/// </summary>
internal sealed class NotificationLoop(
    ITaskStore store,
    IEnumerable<INotificationSink> sinks,
    TimeProvider clock,
    KaijuTasksOptions options,
    StoreOutages outages,
    ILogger<NotificationLoop> logger)
{
    private const int Batch = 100;
    private const string Work = "deliver notifications";

    private readonly IReadOnlyList<WatchedSink> _sinks =
        [.. sinks.Select(sink => new WatchedSink(sink, clock, logger.Guarded()))];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.MaxFaultDelay);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Notified))
            {
                wake.Set();
            }
        });

        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // Fewer than a batch may have: others may follow, since a batch is bounded in bytes too.
                var delivered = await DeliverAsync(cancellationToken).ConfigureAwait(false);
                outages.Succeeded(Work);
                delay.Reset();
                if (delivered == 0)
                {
                    await wake.WaitAsync(options.PollInterval, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // What was not delivered comes again. A sink has logged its own failure.
                if (e is not SinkFailedException)
                {
                    outages.Failed(Work, e);
                }

                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Delivers one batch; how many there were.</summary>
    /// <exception cref="SinkFailedException">A sink failed; those before it have had the notification, and no other
    /// sink has later ones.</exception>
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
