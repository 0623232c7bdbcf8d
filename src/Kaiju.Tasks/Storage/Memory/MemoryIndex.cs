using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A place in one ordered set of tasks: first by <paramref name="Major"/>, then by <paramref name="Minor"/>, then by arrival.</summary>
internal sealed record WorkPlace(SortedSet<WorkPlace> Set, long Major, long Minor, MemoryTask Task)
{
    public static readonly IComparer<WorkPlace> InOrder = Comparer<WorkPlace>.Create(static (a, b) =>
    {
        var order = a.Major.CompareTo(b.Major);
        order = order != 0 ? order : a.Minor.CompareTo(b.Minor);
        return order != 0 ? order : a.Task.Sequence.CompareTo(b.Task.Sequence);
    });
}

/// <summary>
/// Where to find tasks without looking at all of them: by id, by creation within each state and group, and by the work that is
/// due. A task's state says what there is to do, so it stands in at most one set of work and in that of what can become overdue.
/// Belongs to the store's lock.
/// </summary>
internal sealed class MemoryIndex(LifecycleRules rules)
{
    private static readonly Comparer<MemoryTask> _byCreation = Comparer<MemoryTask>.Create(static (a, b) =>
    {
        var order = a.Created.CompareTo(b.Created);
        return order != 0 ? order : string.CompareOrdinal(a.Id, b.Id);
    });

    private readonly Dictionary<string, MemoryTask> _tasks = new(StringComparer.Ordinal);
    private readonly SortedSet<MemoryTask>[] _byState = [.. Enum.GetValues<TaskState>().Select(_ => new SortedSet<MemoryTask>(_byCreation))];
    private readonly Dictionary<(string Member, string Value), SortedSet<MemoryTask>> _byMember = [];
    private readonly SortedSet<WorkPlace>[] _duties = [.. Enum.GetValues<TaskDuty>().Select(_ => new SortedSet<WorkPlace>(WorkPlace.InOrder))];
    private readonly SortedSet<WorkPlace> _overdue = new(WorkPlace.InOrder);
    private readonly SortedSet<WorkPlace> _ended = new(WorkPlace.InOrder);
    private readonly Dictionary<string, SortedSet<WorkPlace>> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<MemoryTask>> _held = new(StringComparer.Ordinal);

    public MemoryTask? Find(string id) => _tasks.GetValueOrDefault(id);

    public void Add(MemoryTask task)
    {
        _tasks.Add(task.Id, task);
        foreach (var member in ListedMembers(task))
        {
            if (!_byMember.TryGetValue(member, out var set))
            {
                _byMember.Add(member, set = new SortedSet<MemoryTask>(_byCreation));
            }

            set.Add(task);
        }

        Enter(task);
    }

    public void Remove(MemoryTask task)
    {
        Leave(task);
        _tasks.Remove(task.Id);
        foreach (var member in ListedMembers(task))
        {
            var set = _byMember[member];
            set.Remove(task);
            if (set.Count == 0)
            {
                _byMember.Remove(member);
            }
        }
    }

    /// <summary>Takes the task out of all that depends on its state; <see cref="Enter"/> follows when the state is the new one.</summary>
    public void Leave(MemoryTask task)
    {
        _byState[(int)task.State.State].Remove(task);
        task.EndedPlace?.Set.Remove(task.EndedPlace);
        Drop(task);
        if (task.State.ExecutorId is { } executor && _held.TryGetValue(executor, out var held) && held.Remove(task) && held.Count == 0)
        {
            _held.Remove(executor);
        }
    }

    public void Enter(MemoryTask task)
    {
        _byState[(int)task.State.State].Add(task);
        if (task.State.ExecutorId is { } executor)
        {
            if (!_held.TryGetValue(executor, out var held))
            {
                _held.Add(executor, held = []);
            }

            held.Add(task);
        }

        task.Place = PlaceOf(task);
        task.Place?.Set.Add(task.Place);
        task.OverduePlace = OverduePlaceOf(task);
        task.OverduePlace?.Set.Add(task.OverduePlace);
        task.EndedPlace = TaskLifecycle.IsDisposable(task.Definition, task.State) ? new WorkPlace(_ended, task.State.StatusChange.UtcTicks, 0, task) : null;
        task.EndedPlace?.Set.Add(task.EndedPlace);
    }

    /// <summary>Forgets the work that the task stands for, until its state changes.</summary>
    public static void Drop(MemoryTask task)
    {
        task.Place?.Set.Remove(task.Place);
        task.Place = null;
        task.OverduePlace?.Set.Remove(task.OverduePlace);
        task.OverduePlace = null;
    }

    /// <summary>The task that comes first for a duty, if it is due.</summary>
    public MemoryTask? FirstDue(TaskDuty duty, DateTimeOffset now) => First(_duties[(int)duty], now);

    /// <summary>The task that is overdue longest.</summary>
    public MemoryTask? FirstOverdue(DateTimeOffset now) => First(_overdue, now);

    /// <summary>When the first duty of any kind is due, in ticks.</summary>
    public long? NextDutyTicks() => _duties.Append(_overdue).Min(set => set.Min?.Major);

    /// <summary>The task that comes first in the queues of these apps.</summary>
    public MemoryTask? FirstQueued(IReadOnlyList<string> apps)
    {
        WorkPlace? first = null;
        foreach (var app in apps)
        {
            if (_queues.TryGetValue(app, out var queue) && queue.Min is { } head && (first is null || WorkPlace.InOrder.Compare(head, first) < 0))
            {
                first = head;
            }
        }

        return first?.Task;
    }

    /// <summary>Tasks without another run that ended before a time, the oldest end first.</summary>
    public IEnumerable<MemoryTask> EndedBefore(DateTimeOffset time) =>
        _ended.TakeWhile(place => place.Major < time.UtcTicks).Select(place => place.Task);

    public IReadOnlyCollection<MemoryTask> HeldBy(string executorId) => _held.GetValueOrDefault(executorId) ?? (IReadOnlyCollection<MemoryTask>)[];

    /// <summary>Tasks in the order of creation, from the narrowest set that holds all that are asked for.</summary>
    public IEnumerable<MemoryTask> InOrder(TaskQuery query, TaskCursor? after)
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
            return _byMember.TryGetValue(listed, out var set) ? From(set, after) : [];
        }

        return query.State is { } state ? From(_byState[(int)state], after) : Merged(after);
    }

    private static IEnumerable<MemoryTask> From(SortedSet<MemoryTask> set, TaskCursor? after)
    {
        if (after is not { } cursor || set.Max is not { } last)
        {
            return set;
        }

        var place = new MemoryTask(cursor);
        return _byCreation.Compare(place, last) > 0 ? [] : set.GetViewBetween(place, last).SkipWhile(task => _byCreation.Compare(task, place) <= 0);
    }

    /// <summary>All states' sets as one, still in order and without reading ahead.</summary>
    private IEnumerable<MemoryTask> Merged(TaskCursor? after)
    {
        var heads = new PriorityQueue<IEnumerator<MemoryTask>, MemoryTask>(_byCreation);
        foreach (var set in _byState)
        {
            var tasks = From(set, after).GetEnumerator();
            if (tasks.MoveNext())
            {
                heads.Enqueue(tasks, tasks.Current);
            }
        }

        while (heads.TryDequeue(out var tasks, out var task))
        {
            yield return task;
            if (tasks.MoveNext())
            {
                heads.Enqueue(tasks, tasks.Current);
            }
        }
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

    private static MemoryTask? First(SortedSet<WorkPlace> set, DateTimeOffset now) => set.Min is { } first && first.Major <= now.UtcTicks ? first.Task : null;

    private WorkPlace? PlaceOf(MemoryTask task)
    {
        var (definition, state) = (task.Definition, task.State);
        if (state.State == TaskState.Queued)
        {
            return definition.Enabled
                ? new WorkPlace(QueueOf(definition.AppName!), -(long)definition.Priority, state.QueuedAt!.Value.UtcTicks, task)
                : null;
        }

        return DueDuty.Of(definition, state) is { } due ? new WorkPlace(_duties[(int)due.Duty], due.At.UtcTicks, 0, task) : null;
    }

    private WorkPlace? OverduePlaceOf(MemoryTask task) =>
        TaskLifecycle.OverdueFrom(task.Definition, task.State, rules) is { } from ? new WorkPlace(_overdue, from.UtcTicks, 0, task) : null;

    private SortedSet<WorkPlace> QueueOf(string app)
    {
        if (!_queues.TryGetValue(app, out var queue))
        {
            _queues.Add(app, queue = new SortedSet<WorkPlace>(WorkPlace.InOrder));
        }

        return queue;
    }
}
