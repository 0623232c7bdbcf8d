namespace Kaiju.Tasks.Storage.Memory;

/// <summary>The calls of users and sinks about notifications in memory.</summary>
internal sealed class MemoryNotificationStore(MemoryState state)
{
    public ValueTask<NotificationPage> ListAsync(
        NotificationQuery query, NotificationCursor? after, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var page = state.Notifications.List(query, after, limit);
        return new(
            new NotificationPage
            {
                Items = page,
                Next = page.Count < limit ? null : new NotificationCursor(page[^1].Id),
            });
    }

    public ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Notifications.MarkRead(ids));
    }

    public ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(
        int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Notifications.Undelivered(limit));
    }

    public ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        state.Notifications.MarkDelivered(ids);
        return ValueTask.CompletedTask;
    }

    public ValueTask<int> DeleteAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(state.Notifications.Delete(step.Now - age, limit));
    }
}
