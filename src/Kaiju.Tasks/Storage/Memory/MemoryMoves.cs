using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// The moves of many tasks in one step, up to a limit. A task that cannot be decided is set aside, and the others are
/// moved. See docs/decisions/0010.
/// </summary>
internal sealed class MemoryMoves(MemoryStep step, int limit = int.MaxValue)
{
    private readonly List<TaskMove> _made = [];

    public IReadOnlyList<TaskMove> Made => _made;

    public bool AreFull => _made.Count >= limit;

    /// <summary>Applies an event to tasks in the order of their arrival, without those that are set aside.</summary>
    public void MoveEach(IEnumerable<MemoryTask> tasks, TaskEvent happened)
    {
        var free = tasks.Where(task => task.AsideUntil <= step.Now).OrderBy(task => task.Sequence);
        foreach (var task in free.Take(limit - _made.Count).ToList())
        {
            Move(task, happened);
        }
    }

    public MoveResult Move(MemoryTask task, TaskEvent happened)
    {
        var from = task.State.State;
        try
        {
            if (!step.ApplyEvent(task, happened))
            {
                return MoveResult.Unchanged;
            }
        }
        catch (Exception e)
        {
            // Any exception of the rules about this task; it is logged when the step ends.
            step.SetAside(task, happened, e);
            return MoveResult.SetAside;
        }

        _made.Add(task.MoveFrom(from));
        return MoveResult.Moved;
    }
}

/// <summary>The result of a move of one task.</summary>
internal enum MoveResult
{
    /// <summary>The event was applied.</summary>
    Moved,

    /// <summary>The event changes nothing.</summary>
    Unchanged,

    /// <summary>The lifecycle failed, and the task was set aside.</summary>
    SetAside,
}
