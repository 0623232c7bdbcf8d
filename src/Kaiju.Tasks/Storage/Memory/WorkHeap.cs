namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A task's place in a <see cref="WorkHeap"/>.</summary>
internal readonly record struct WorkPlace(WorkHeap Heap, long Ticket)
{
    /// <summary>Leaves the place.</summary>
    public void Leave() => Heap.Leave();
}

/// <summary>
/// Tasks in the order of their work. It is cheap for tasks that arrive in order and leave from the front, as most do. A
/// task that leaves elsewhere is skipped later: an entry is valid only while its task holds its ticket.
/// </summary>
internal sealed class WorkHeap
{
    private const int Slack = 64;

    private PriorityQueue<(MemoryTask Task, long Ticket), Key> _entries = new();
    private int _live;

    /// <summary>
    /// Adds a task, ordered by <paramref name="major"/>, then by <paramref name="minor"/>, then by arrival. The task
    /// must keep the returned place.
    /// </summary>
    public WorkPlace Add(MemoryTask task, long major, long minor = 0)
    {
        var place = new WorkPlace(this, task.NextTicket());
        _entries.Enqueue((task, place.Ticket), new Key(major, minor, task.Sequence));
        _live++;
        return place;
    }

    /// <summary>The tasks, in no order.</summary>
    public IEnumerable<MemoryTask> Tasks =>
        _entries.UnorderedItems.Select(item => item.Element)
            .Where(entry => entry.Task.Holds(entry.Ticket))
            .Select(entry => entry.Task);

    /// <summary>Finds the first task and its key.</summary>
    public bool TryPeek(out MemoryTask task, out Key key)
    {
        while (_entries.TryPeek(out var entry, out key))
        {
            if (entry.Task.Holds(entry.Ticket))
            {
                task = entry.Task;
                return true;
            }

            _entries.Dequeue();
        }

        task = null!;
        return false;
    }

    /// <summary>Counts an invalid entry: its task has left the place, or does so before the next read.</summary>
    public void Leave()
    {
        _live--;
        if (_entries.Count > (2 * _live) + Slack)
        {
            _entries = new PriorityQueue<(MemoryTask, long), Key>(
                _entries.UnorderedItems.Where(item => item.Element.Task.Holds(item.Element.Ticket)));
        }
    }

    /// <summary>The key that orders entries.</summary>
    public readonly record struct Key(long Major, long Minor, long Sequence) : IComparable<Key>
    {
        public int CompareTo(Key other)
        {
            var order = Major.CompareTo(other.Major);
            order = order != 0 ? order : Minor.CompareTo(other.Minor);
            return order != 0 ? order : Sequence.CompareTo(other.Sequence);
        }
    }
}
