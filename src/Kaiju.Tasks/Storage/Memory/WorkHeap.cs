namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A task's place in a <see cref="WorkHeap"/>.</summary>
internal readonly record struct WorkPlace(WorkHeap Heap, long Ticket)
{
    /// <summary>Gives the place up.</summary>
    public void Leave() => Heap.Leave();
}

/// <summary>
/// Tasks by the order in which there is something to do with them, kept cheap for what comes in order and goes from the
/// front, as work does. A task that leaves is passed over later: an entry counts only while its task still holds its
/// ticket.
/// </summary>
internal sealed class WorkHeap
{
    private const int Slack = 64;

    private PriorityQueue<(MemoryTask Task, long Ticket), Key> _entries = new();
    private int _live;

    /// <summary>
    /// Adds a task: first by <paramref name="major"/>, then by <paramref name="minor"/>, then by arrival. The task must
    /// keep the place.
    /// </summary>
    public WorkPlace Add(MemoryTask task, long major, long minor = 0)
    {
        var place = new WorkPlace(this, task.NextTicket());
        _entries.Enqueue((task, place.Ticket), new Key(major, minor, task.Sequence));
        _live++;
        return place;
    }

    /// <summary>The first task and its key.</summary>
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

    /// <summary>A task has given its place up, or will have before the next look.</summary>
    public void Leave()
    {
        _live--;
        if (_entries.Count > (2 * _live) + Slack)
        {
            _entries = new PriorityQueue<(MemoryTask, long), Key>(
                _entries.UnorderedItems.Where(item => item.Element.Task.Holds(item.Element.Ticket)));
        }
    }

    /// <summary>What entries are ordered by.</summary>
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
