namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Notifications by number, by user and by task. Belongs to the store's lock.</summary>
internal sealed class MemoryNotifications
{
    private readonly List<TaskNotification> _all = [];
    private readonly Dictionary<(string Member, string Value), List<TaskNotification>> _by = [];

    public void Add(MemoryTask task, DateTimeOffset now)
    {
        var notification = task.Notification(_all.Count + 1, now);
        _all.Add(notification);
        AddTo(("task", notification.TaskId), notification);
        if (notification.UserId is { } user)
        {
            AddTo(("user", user), notification);
        }
    }

    public IReadOnlyList<TaskNotification> List(NotificationQuery query, int limit)
    {
        List<TaskNotification>? source = _all;
        if (query.TaskId is { } task)
        {
            source = _by.GetValueOrDefault(("task", task));
        }
        else if (query.UserId is { } user)
        {
            source = _by.GetValueOrDefault(("user", user));
        }

        var page = new List<TaskNotification>();
        for (var i = source is null ? -1 : LastBefore(source, query.Before); i >= 0 && page.Count < limit; i--)
        {
            var notification = source![i];
            if (query.UserId is null || query.UserId == notification.UserId)
            {
                page.Add(notification);
            }
        }

        return page;
    }

    /// <summary>The last place with a smaller number; numbers grow, so by halves.</summary>
    private static int LastBefore(List<TaskNotification> source, long? before)
    {
        var (low, high) = (0, source.Count);
        while (before is not null && low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = source[middle].Id < before ? (middle + 1, high) : (low, middle);
        }

        return high - 1;
    }

    private void AddTo((string Member, string Value) key, TaskNotification notification)
    {
        if (!_by.TryGetValue(key, out var list))
        {
            _by.Add(key, list = []);
        }

        list.Add(notification);
    }
}
