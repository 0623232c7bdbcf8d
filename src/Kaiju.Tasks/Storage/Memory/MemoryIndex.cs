using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// Finds tasks without scanning all: by id, by creation within each group and within the states in which tasks stay,
/// and by due work. States that every task passes through have no set of their own, so that they stay cheap; durable
/// stores have no index for them either. A task's state determines its work. So a task is in at most one set of work,
/// and in the set of tasks that can become overdue. Used under the store's lock. See docs/decisions/0006.
/// </summary>
internal sealed class MemoryIndex(LifecycleRules rules)
{
    private static readonly TaskState[] _listed =
        [TaskState.Idle, TaskState.Suspended, TaskState.Waiting, TaskState.Failed];

    private readonly Dictionary<string, MemoryTask> _tasks = new(StringComparer.Ordinal);
    private readonly SortedSet<CreationKey> _all = [];
    private readonly SortedSet<CreationKey>?[] _byState =
        [.. Enum.GetValues<TaskState>().Select(state => _listed.Contains(state) ? new SortedSet<CreationKey>() : null)];

    private readonly Dictionary<(string Member, string Value), SortedSet<CreationKey>> _byMember = [];
    private readonly WorkHeap[] _duties = [.. Enum.GetValues<TaskDuty>().Select(_ => new WorkHeap())];
    private readonly WorkHeap _overdue = new();
    private readonly Dictionary<TaskState, WorkHeap> _ended =
        new() { [TaskState.Finished] = new WorkHeap(), [TaskState.Failed] = new WorkHeap() };

    private readonly Dictionary<string, WorkHeap> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<(TaskHold Hold, string App, string Method), WorkHeap> _holding = [];
    private readonly Dictionary<string, HashSet<MemoryTask>> _held = new(StringComparer.Ordinal);
    private readonly PriorityQueue<MemoryTask, DateTimeOffset> _aside = new();

    public MemoryTask? Find(string id) => _tasks.GetValueOrDefault(id);

    public void Add(MemoryTask task)
    {
        _tasks.Add(task.Id, task);
        _all.Add(task.CreationKey);
        foreach (var member in ListedMembers(task))
        {
            if (!_byMember.TryGetValue(member, out var set))
            {
                _byMember.Add(member, set = new SortedSet<CreationKey>());
            }

            set.Add(task.CreationKey);
        }

        Enter(task);
    }

    public void Remove(MemoryTask task)
    {
        Leave(task);
        _tasks.Remove(task.Id);
        _all.Remove(task.CreationKey);
        foreach (var member in ListedMembers(task))
        {
            var set = _byMember[member];
            set.Remove(task.CreationKey);
            if (set.Count == 0)
            {
                _byMember.Remove(member);
            }
        }
    }

    /// <summary>
    /// Removes the task from all sets that depend on its state; <see cref="Enter"/> follows after the state has
    /// changed.
    /// </summary>
    public void Leave(MemoryTask task)
    {
        _byState[(int)task.State.State]?.Remove(task.CreationKey);
        var ended = task.EndedPlace;
        task.EndedPlace = null;
        ended?.Leave();
        Drop(task);
        if (task.State.ExecutorId is { } executor
            && _held.TryGetValue(executor, out var held)
            && held.Remove(task)
            && held.Count == 0)
        {
            _held.Remove(executor);
        }
    }

    public void Enter(MemoryTask task)
    {
        _byState[(int)task.State.State]?.Add(task.CreationKey);
        if (task.State.ExecutorId is { } executor)
        {
            if (!_held.TryGetValue(executor, out var held))
            {
                _held.Add(executor, held = []);
            }

            held.Add(task);
        }

        task.Place = PlaceOf(task);
        task.OverduePlace = TaskLifecycle.OverdueFrom(task.Definition, task.State, rules) is { } from
            ? _overdue.Add(task, from.UtcTicks)
            : null;
        task.EndedPlace = TaskLifecycle.IsDisposable(task.Definition, task.State)
            ? _ended[task.State.State].Add(task, task.State.StatusChange.UtcTicks)
            : null;
    }

    /// <summary>
    /// Removes a task on which a duty failed from all duties for a while, unless its state changes. See
    /// docs/decisions/0010.
    /// </summary>
    public void SetAside(MemoryTask task, DateTimeOffset now)
    {
        task.SetAside(now);
        Drop(task);
        _aside.Enqueue(task, task.AsideUntil);
    }

    /// <summary>Returns tasks to their duties whose pause is over.</summary>
    public void TakeBack(DateTimeOffset now)
    {
        while (_aside.TryPeek(out var task, out var until) && until <= now)
        {
            _aside.Dequeue();
            if (Find(task.Id) == task)
            {
                Leave(task);
                Enter(task);
            }
        }
    }

    /// <summary>Removes the task from its duty until its state changes.</summary>
    public static void Drop(MemoryTask task)
    {
        var (place, overdue) = (task.Place, task.OverduePlace);
        (task.Place, task.OverduePlace) = (null, null);
        place?.Leave();
        overdue?.Leave();
    }

    /// <summary>The first task for a duty, if it is due.</summary>
    public MemoryTask? FirstDue(TaskDuty duty, DateTimeOffset now) => First(_duties[(int)duty], now);

    /// <summary>The task that is overdue longest.</summary>
    public MemoryTask? FirstOverdue(DateTimeOffset now) => First(_overdue, now);

    /// <summary>
    /// The task of a state that ended first and has no further run, if it ended before a given time.
    /// </summary>
    public MemoryTask? FirstEnded(TaskState state, DateTimeOffset before) =>
        _ended.TryGetValue(state, out var ended) ? First(ended, before.AddTicks(-1)) : null;

    /// <summary>The time in ticks at which the first duty of any kind is due; null if there is none.</summary>
    public long? NextDutyTicks() =>
        _duties.Append(_overdue).Min(heap => heap.TryPeek(out _, out var first) ? first.Major : default(long?));

    /// <summary>
    /// The first task that an executor may claim: of the common queues of its apps, or one that is held since others do
    /// not know its command.
    /// </summary>
    /// <param name="apps">The apps of the executor that are not paused.</param>
    /// <param name="commands">The methods that the executor has announced; null for none.</param>
    public MemoryTask? FirstQueued(IReadOnlyList<string> apps, IReadOnlyCollection<string>? commands)
    {
        MemoryTask? first = null;
        WorkHeap.Key least = default;
        foreach (var app in apps)
        {
            if (_queues.TryGetValue(app, out var queue))
            {
                Compare(queue);
            }
        }

        if (commands is not null && _holding.Count > 0)
        {
            foreach (var ((hold, app, method), queue) in _holding)
            {
                if (hold == TaskHold.UnknownCommand && apps.Contains(app) && commands.Contains(method))
                {
                    Compare(queue);
                }
            }
        }

        return first;

        void Compare(WorkHeap queue)
        {
            if (queue.TryPeek(out var task, out var key) && (first is null || key.CompareTo(least) < 0))
            {
                (first, least) = (task, key);
            }
        }
    }

    /// <summary>The holds, apps and methods that have held tasks. Groups without tasks are forgotten.</summary>
    public IReadOnlyList<(TaskHold Hold, string App, string Method)> HeldGroups()
    {
        foreach (var (group, heap) in _holding.ToList())
        {
            if (!heap.TryPeek(out _, out _))
            {
                _holding.Remove(group);
            }
        }

        return [.. _holding.Keys];
    }

    /// <summary>The first task of a group of held tasks.</summary>
    public MemoryTask? FirstHeld(TaskHold hold, string app, string method) =>
        _holding.TryGetValue((hold, app, method), out var heap) && heap.TryPeek(out var task, out _) ? task : null;

    /// <summary>The tasks of all common queues.</summary>
    public IEnumerable<MemoryTask> CommonQueue() => _queues.Values.SelectMany(queue => queue.Tasks);

    /// <summary>Apps whose next task was queued at or before a given time, while none of their tasks runs.</summary>
    public IEnumerable<string> UnservedApps(DateTimeOffset before)
    {
        var running = _held.Values.SelectMany(held => held)
            .Select(task => task.Definition.AppName!)
            .ToHashSet(StringComparer.Ordinal);
        return _queues
            .Where(queue => !running.Contains(queue.Key))
            .Where(queue => queue.Value.TryPeek(out var task, out _) && task.State.QueuedAt <= before)
            .Select(queue => queue.Key)
            .Order(StringComparer.Ordinal);
    }

    public IReadOnlyCollection<MemoryTask> HeldBy(string executorId) =>
        _held.GetValueOrDefault(executorId) ?? (IReadOnlyCollection<MemoryTask>)[];

    /// <summary>The tasks that a query selects, in its order.</summary>
    public IEnumerable<MemoryTask> Select(TaskQuery query, TaskCursor? after) =>
        InOrder(query, after).Where(task => query.Selects(task.Definition, task.State, task.Created));

    /// <summary>Tasks in the order of creation, from the smallest set that contains all tasks of the query.</summary>
    private IEnumerable<MemoryTask> InOrder(TaskQuery query, TaskCursor? after) =>
        (NarrowestSet(query), query.NewestFirst) switch
        {
            (null, _) => [],
            ({ } set, false) => From(set, after).Select(key => key.Task!),
            ({ } set, true) => DownFrom(set, after).Select(key => key.Task!),
        };

    private SortedSet<CreationKey>? NarrowestSet(TaskQuery query)
    {
        var member = query switch
        {
            { GroupId: { } groupId } => ("group_id", groupId),
            { UserId: { } userId } => ("user_id", userId),
            { Group: { } group } => ("group", group),
            _ => default((string, string)?),
        };
        if (member is { } listed)
        {
            return _byMember.GetValueOrDefault(listed);
        }

        return query.AnyOf is { Count: 1 } states && _byState[(int)states.First()] is { } tasks ? tasks : _all;
    }

    private static IEnumerable<CreationKey> From(SortedSet<CreationKey> set, TaskCursor? after)
    {
        if (after is not { } cursor || set.Count == 0)
        {
            return set;
        }

        var (place, last) = (CreationKey.Of(cursor), set.Max);
        return place.CompareTo(last) > 0
            ? []
            : set.GetViewBetween(place, last).SkipWhile(key => key.CompareTo(place) <= 0);
    }

    private static IEnumerable<CreationKey> DownFrom(SortedSet<CreationKey> set, TaskCursor? after)
    {
        if (after is not { } cursor || set.Count == 0)
        {
            return set.Reverse();
        }

        var (place, first) = (CreationKey.Of(cursor), set.Min);
        return place.CompareTo(first) < 0
            ? []
            : set.GetViewBetween(first, place).Reverse().SkipWhile(key => key.CompareTo(place) >= 0);
    }

    private static IEnumerable<(string Member, string Value)> ListedMembers(MemoryTask task)
    {
        if (task.Definition.Group is { } group)
        {
            yield return ("group", group);
        }

        if (task.Definition.GroupId is { } groupId)
        {
            yield return ("group_id", groupId);
        }

        if (task.Definition.UserId is { } userId)
        {
            yield return ("user_id", userId);
        }
    }

    private static MemoryTask? First(WorkHeap heap, DateTimeOffset now) =>
        heap.TryPeek(out var task, out var key) && key.Major <= now.UtcTicks ? task : null;

    private WorkPlace? PlaceOf(MemoryTask task)
    {
        var (definition, state) = (task.Definition, task.State);
        if (state.State == TaskState.Queued)
        {
            return definition.Enabled
                ? QueueOf(definition, state).Add(task, -(long)definition.Priority, state.QueuedAt!.Value.UtcTicks)
                : null;
        }

        return DueDuty.Of(definition, state) is { } due ? _duties[(int)due.Duty].Add(task, due.At.UtcTicks) : null;
    }

    private WorkHeap QueueOf(TaskDefinition task, ManagedState state) => state.Hold == TaskHold.None
        ? HeapOf(_queues, task.AppName!)
        : HeapOf(_holding, (state.Hold, task.AppName!, state.Method ?? ""));

    private static WorkHeap HeapOf<TKey>(Dictionary<TKey, WorkHeap> heaps, TKey key)
        where TKey : notnull
    {
        if (!heaps.TryGetValue(key, out var heap))
        {
            heaps.Add(key, heap = new WorkHeap());
        }

        return heap;
    }
}
