using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Delivers notifications to sinks: after each hint, and at least once every
/// <see cref="KaijuTasksOptions.PollInterval"/>.
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
                    // The failure is logged. The notification is delivered again.
                    await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                }

                outages.Succeeded(Work);
                delay.Reset();

                // More notifications may follow a short batch, since batches are bounded in bytes too. See
                // docs/decisions/0011.
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
    /// Delivers one batch, up to the first failure of a sink. Sinks before that one have received the notification; no
    /// sink receives later ones.
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

/// <summary>The result of one batch of notifications.</summary>
/// <param name="Count">The number of notifications that every sink received.</param>
/// <param name="HasFailed">True if a sink failed on the next notification.</param>
internal readonly record struct Delivery(int Count, bool HasFailed);
