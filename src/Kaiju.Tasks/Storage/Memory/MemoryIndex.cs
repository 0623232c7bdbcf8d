using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// Where to find tasks without looking at all of them: by id, by creation within each group and within the states in which tasks stay,
/// and by the work that is due. States that tasks pass through on their straight way have no set of their own, so that the way stays
/// cheap; no durable store has one either. A task's state says what there is to do, so it stands in at most one set of work and in that of
/// what can become overdue. Belongs to the store's lock.
/// </summary>
internal sealed class MemoryIndex(LifecycleRules rules)
{
    private static readonly Comparer<MemoryTask> _byCreation = Comparer<MemoryTask>.Create(static (a, b) =>
    {
        var order = a.Created.CompareTo(b.Created);
        return order != 0 ? order : string.CompareOrdinal(a.Id, b.Id);
    });

    private static readonly TaskState[] _listed = [TaskState.Idle, TaskState.Suspended, TaskState.Waiting, TaskState.Failed];

    private readonly Dictionary<string, MemoryTask> _tasks = new(StringComparer.Ordinal);
    private readonly SortedSet<MemoryTask> _all = new(_byCreation);
    private readonly SortedSet<MemoryTask>?[] _byState =
        [.. Enum.GetValues<TaskState>().Select(state => _listed.Contains(state) ? new SortedSet<MemoryTask>(_byCreation) : null)];

    private readonly Dictionary<(string Member, string Value), SortedSet<MemoryTask>> _byMember = [];
    private readonly WorkHeap[] _duties = [.. Enum.GetValues<TaskDuty>().Select(_ => new WorkHeap())];
    private readonly WorkHeap _overdue = new();
    private readonly WorkHeap _ended = new();
    private readonly Dictionary<string, WorkHeap> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<MemoryTask>> _held = new(StringComparer.Ordinal);

    public MemoryTask? Find(string id) => _tasks.GetValueOrDefault(id);

    public void Add(MemoryTask task)
    {
        _tasks.Add(task.Id, task);
        _all.Add(task);
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
        _all.Remove(task);
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
        _byState[(int)task.State.State]?.Remove(task);
        var ended = task.EndedPlace;
        task.EndedPlace = null;
        ended?.Leave();
        Drop(task);
        if (task.State.ExecutorId is { } executor && _held.TryGetValue(executor, out var held) && held.Remove(task) && held.Count == 0)
        {
            _held.Remove(executor);
        }
    }

    public void Enter(MemoryTask task)
    {
        _byState[(int)task.State.State]?.Add(task);
        if (task.State.ExecutorId is { } executor)
        {
            if (!_held.TryGetValue(executor, out var held))
            {
                _held.Add(executor, held = []);
            }

            held.Add(task);
        }

        task.Place = PlaceOf(task);
        task.OverduePlace = TaskLifecycle.OverdueFrom(task.Definition, task.State, rules) is { } from ? _overdue.Add(task, from.UtcTicks) : null;
        task.EndedPlace = TaskLifecycle.IsDisposable(task.Definition, task.State) ? _ended.Add(task, task.State.StatusChange.UtcTicks) : null;
    }

    /// <summary>Forgets the work that the task stands for, until its state changes.</summary>
    public static void Drop(MemoryTask task)
    {
        var (place, overdue) = (task.Place, task.OverduePlace);
        (task.Place, task.OverduePlace) = (null, null);
        place?.Leave();
        overdue?.Leave();
    }

    /// <summary>The task that comes first for a duty, if it is due.</summary>
    public MemoryTask? FirstDue(TaskDuty duty, DateTimeOffset now) => First(_duties[(int)duty], now);

    /// <summary>The task that is overdue longest.</summary>
    public MemoryTask? FirstOverdue(DateTimeOffset now) => First(_overdue, now);

    /// <summary>The task that ended first of those without another run, if it ended before a time.</summary>
    public MemoryTask? FirstEnded(DateTimeOffset before) => First(_ended, before.AddTicks(-1));

    /// <summary>When the first duty of any kind is due, in ticks.</summary>
    public long? NextDutyTicks() => _duties.Append(_overdue).Min(heap => heap.TryPeek(out _, out var first) ? first.Major : default(long?));

    /// <summary>The task that comes first in the queues of these apps.</summary>
    public MemoryTask? FirstQueued(IReadOnlyList<string> apps)
    {
        MemoryTask? first = null;
        WorkHeap.Key least = default;
        foreach (var app in apps)
        {
            if (_queues.TryGetValue(app, out var queue) && queue.TryPeek(out var task, out var key) && (first is null || key.CompareTo(least) < 0))
            {
                (first, least) = (task, key);
            }
        }

        return first;
    }

    /// <summary>Apps whose next task was queued at a time or before it, while none of their tasks runs.</summary>
    public IEnumerable<string> UnservedApps(DateTimeOffset before)
    {
        var running = _held.Values.SelectMany(held => held).Select(task => task.Definition.AppName!).ToHashSet(StringComparer.Ordinal);
        return _queues
            .Where(queue => !running.Contains(queue.Key) && queue.Value.TryPeek(out var task, out _) && task.State.QueuedAt <= before)
            .Select(queue => queue.Key)
            .Order(StringComparer.Ordinal);
    }

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

        return From(query.State is { } state && _byState[(int)state] is { } tasks ? tasks : _all, after);
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

    private static MemoryTask? First(WorkHeap heap, DateTimeOffset now) => heap.TryPeek(out var task, out var key) && key.Major <= now.UtcTicks ? task : null;

    private WorkPlace? PlaceOf(MemoryTask task)
    {
        var (definition, state) = (task.Definition, task.State);
        if (state.State == TaskState.Queued)
        {
            return definition.Enabled ? QueueOf(definition.AppName!).Add(task, -(long)definition.Priority, state.QueuedAt!.Value.UtcTicks) : null;
        }

        return DueDuty.Of(definition, state) is { } due ? _duties[(int)due.Duty].Add(task, due.At.UtcTicks) : null;
    }

    private WorkHeap QueueOf(string app)
    {
        if (!_queues.TryGetValue(app, out var queue))
        {
            _queues.Add(app, queue = new WorkHeap());
        }

        return queue;
    }
}
