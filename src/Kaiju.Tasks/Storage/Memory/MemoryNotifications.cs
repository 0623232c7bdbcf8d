namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Notifications by number, by user and by task. Belongs to the store's lock.</summary>
internal sealed class MemoryNotifications
{
    private readonly List<TaskNotification> _all = [];
    private readonly Dictionary<(string Member, string Value), List<long>> _by = [];
    private readonly HashSet<long> _deliveredAhead = [];

    // All up to this one are delivered, and of those behind it the ones above.
    private long _delivered;

    public void Add(MemoryTask task, DateTimeOffset now)
    {
        var notification = task.Notification(_all.Count + 1, now);
        _all.Add(notification);
        AddTo(("task", notification.TaskId), notification.Id);
        if (notification.UserId is { } user)
        {
            AddTo(("user", user), notification.Id);
        }
    }

    public int MarkRead(IReadOnlyList<long> ids)
    {
        var marked = 0;
        foreach (var id in ids.Where(id => id >= 1 && id <= _all.Count && !At(id).IsRead))
        {
            _all[(int)id - 1] = At(id) with { IsRead = true };
            marked++;
        }

        return marked;
    }

    public IReadOnlyList<TaskNotification> Undelivered(int limit)
    {
        var page = new List<TaskNotification>();
        for (var id = _delivered + 1; id <= _all.Count && page.Count < limit; id++)
        {
            if (!_deliveredAhead.Contains(id))
            {
                page.Add(At(id));
            }
        }

        return page;
    }

    public void MarkDelivered(IReadOnlyList<long> ids)
    {
        _deliveredAhead.UnionWith(ids.Where(id => id > _delivered && id <= _all.Count));
        while (_deliveredAhead.Remove(_delivered + 1))
        {
            _delivered++;
        }
    }

    public IReadOnlyList<TaskNotification> List(NotificationQuery query, int limit)
    {
        var source = query switch
        {
            { TaskId: { } task } => _by.GetValueOrDefault(("task", task)) ?? [],
            { UserId: { } user } => _by.GetValueOrDefault(("user", user)) ?? [],
            _ => null,
        };

        var page = new List<TaskNotification>();
        for (var i = LastBefore(source, query.Before); i >= 0 && page.Count < limit; i--)
        {
            var notification = At(source is null ? i + 1 : source[i]);
            if ((query.UserId is null || query.UserId == notification.UserId) && (query.IsRead is null || query.IsRead == notification.IsRead))
            {
                page.Add(notification);
            }
        }

        return page;
    }

    /// <summary>The last place with a smaller number; numbers grow with the places.</summary>
    private int LastBefore(List<long>? source, long? before)
    {
        if (source is null)
        {
            return (int)Math.Clamp((before ?? long.MaxValue) - 2, -1, _all.Count - 1);
        }

        var place = before is null ? source.Count : source.BinarySearch(before.Value);
        return (place < 0 ? ~place : place) - 1;
    }

    /// <summary>Numbers are places, from 1: notifications are never taken out.</summary>
    private TaskNotification At(long id) => _all[(int)id - 1];

    private void AddTo((string Member, string Value) key, long id)
    {
        if (!_by.TryGetValue(key, out var list))
        {
            _by.Add(key, list = []);
        }

        list.Add(id);
    }
}
