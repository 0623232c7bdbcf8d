namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Notifications by number, by user and by task. Used under the store's lock.</summary>
internal sealed class MemoryNotifications
{
    private readonly SortedDictionary<long, TaskNotification> _all = [];
    private readonly Dictionary<(string Member, string Value), SortedSet<long>> _by = [];
    private readonly SortedSet<long> _numbers = [];
    private readonly SortedSet<long> _undelivered = [];
    private long _last;

    public void Add(MemoryTask task, DateTimeOffset now)
    {
        var notification = task.Notification(++_last, now);
        _all.Add(notification.Id, notification);
        _numbers.Add(notification.Id);
        _undelivered.Add(notification.Id);
        foreach (var member in Members(notification))
        {
            if (!_by.TryGetValue(member, out var numbers))
            {
                _by.Add(member, numbers = []);
            }

            numbers.Add(notification.Id);
        }
    }

    public int MarkRead(IReadOnlyList<long> ids)
    {
        var marked = 0;
        foreach (var id in ids)
        {
            if (_all.TryGetValue(id, out var notification) && !notification.IsRead)
            {
                _all[id] = notification.AsRead();
                marked++;
            }
        }

        return marked;
    }

    public IReadOnlyList<TaskNotification> Undelivered(int limit) =>
        [.. _undelivered.Take(limit).Select(id => _all[id])];

    public void MarkDelivered(IReadOnlyList<long> ids) => _undelivered.ExceptWith(ids);

    public IReadOnlyList<TaskNotification> List(NotificationQuery query, NotificationCursor? after, int limit)
    {
        var numbers = query switch
        {
            { TaskId: { } task } => _by.GetValueOrDefault(("task", task)) ?? [],
            { UserId: { } user } => _by.GetValueOrDefault(("user", user)) ?? [],
            _ => _numbers,
        };
        var older = after is { } last ? numbers.GetViewBetween(0, Math.Max(0, last.Id - 1)) : numbers;
        return
        [
            .. older.Reverse().Select(id => _all[id])
                .Where(notification => query.UserId is null || query.UserId == notification.UserId)
                .Where(notification => query.IsRead is null || query.IsRead == notification.IsRead)
                .Take(limit),
        ];
    }

    /// <summary>
    /// Deletes notifications that were stored before a given time; they are in the order of their times.
    /// </summary>
    public int Delete(DateTimeOffset before, int limit)
    {
        var old = _all.Values.TakeWhile(notification => notification.Created < before).Take(limit).ToList();
        foreach (var notification in old)
        {
            _all.Remove(notification.Id);
            _numbers.Remove(notification.Id);
            _undelivered.Remove(notification.Id);
            foreach (var member in Members(notification))
            {
                var numbers = _by[member];
                numbers.Remove(notification.Id);
                if (numbers.Count == 0)
                {
                    _by.Remove(member);
                }
            }
        }

        return old.Count;
    }

    private static IEnumerable<(string Member, string Value)> Members(TaskNotification notification)
    {
        yield return ("task", notification.TaskId);
        if (notification.UserId is { } user)
        {
            yield return ("user", user);
        }
    }
}
