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
                var delivery = await DeliverAsync(cancellationToken).ConfigureAwait(false);
                if (delivery.HasFailed)
                {
                    // The sink has logged it. What was not delivered comes again.
                    await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                }

                outages.Succeeded(Work);
                delay.Reset();

                // Even after less than a full batch others may follow, since a batch is bounded in bytes too.
                if (delivery.Count == 0)
                {
                    await wake.WaitAsync(options.PollInterval, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                outages.Failed(Work, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Delivers one batch, up to the first failure of a sink: the sinks before it have had the notification, and no
    /// sink has later ones.
    /// </summary>
    public async Task<Delivery> DeliverAsync(CancellationToken cancellationToken)
    {
        var notifications = await store.ListUndeliveredAsync(Batch, cancellationToken).ConfigureAwait(false);
        var count = 0;
        foreach (var notification in notifications)
        {
            if (!await TryDeliverAsync(notification, cancellationToken).ConfigureAwait(false))
            {
                return new Delivery(count, HasFailed: true);
            }

            await store.MarkDeliveredAsync([notification.Id], cancellationToken).ConfigureAwait(false);
            count++;
        }

        return new Delivery(count, HasFailed: false);
    }

    private async ValueTask<bool> TryDeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
    {
        foreach (var sink in _sinks)
        {
            if (!await sink.TryDeliverAsync(notification, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>What became of a batch of notifications.</summary>
/// <param name="Count">How many were delivered to every sink.</param>
/// <param name="HasFailed">A sink failed on the next one.</param>
internal readonly record struct Delivery(int Count, bool HasFailed);
