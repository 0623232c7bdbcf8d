using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// A sink whose failures are logged: when they begin, once a minute while they last, and when they end.
/// </summary>
internal sealed class WatchedSink(INotificationSink sink, TimeProvider clock, ILogger guarded)
{
    private readonly FaultEpisode _episode = new(clock);
    private readonly string _name = sink.GetType().FullName ?? sink.GetType().Name;

    /// <returns>
    /// False if the sink failed. The failure is logged, and the notification must be delivered again.
    /// </returns>
    public async ValueTask<bool> TryDeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
    {
        try
        {
            await sink.DeliverAsync(notification, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Report(notification, e);
            return false;
        }

        if (_episode.End() is { } end)
        {
            Log.SinkWorks(guarded, _name, end.Elapsed, end.Count);
        }

        return true;
    }

    private void Report(TaskNotification notification, Exception e)
    {
        switch (_episode.Fail())
        {
            case FaultNews.Begins:
                Log.SinkFailed(guarded, e, _name, notification.Id, notification.TaskId);
                break;
            case FaultNews.Lasts:
                Log.SinkStillFails(
                    guarded, _name, _episode.Elapsed, _episode.Count, notification.Id, notification.TaskId, e.Message);
                break;
        }
    }
}
