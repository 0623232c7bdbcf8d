using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>The announcements and pauses of a store in memory. Used under the store's lock.</summary>
internal sealed class MemoryRouting(RoutingFunctions functions)
{
    private readonly Dictionary<string, ExecutorInfo> _announced = new(StringComparer.Ordinal);
    private readonly List<TaskPause> _pauses = [];
    private Queue<MemoryTask> _unchecked = [];

    /// <summary>The holds that follow from the announcements and the pauses.</summary>
    public TaskRouting Holds { get; private set; } = TaskRouting.Empty;

    /// <summary>The pauses that are stored.</summary>
    public IReadOnlyList<TaskPause> Pauses => _pauses;

    /// <summary>The number of tasks whose holds are to be checked since the last change.</summary>
    public int Unchecked => _unchecked.Count;

    /// <summary>The announcement of an executor; null if it has announced nothing.</summary>
    public ExecutorInfo? Announced(string executorId) => _announced.GetValueOrDefault(executorId);

    /// <summary>Stores an executor's announcement, unless it is stored already or there is none.</summary>
    public void Announce(ExecutorInfo executor, MemoryIndex tasks, DateTimeOffset now)
    {
        if (executor.Commands is not null && _announced.TryAdd(executor.Id, executor))
        {
            Decide(tasks, now);
        }
    }

    /// <summary>Removes an executor's announcement.</summary>
    public void Forget(string executorId, MemoryIndex tasks, DateTimeOffset now)
    {
        if (_announced.Remove(executorId))
        {
            Decide(tasks, now);
        }
    }

    /// <summary>Stores a pause in place of an earlier one of the same app and method.</summary>
    public void Pause(TaskPause pause, MemoryIndex tasks, DateTimeOffset now)
    {
        _pauses.RemoveAll(other => other.IsOfSame(pause.AppName, pause.Method));
        _pauses.Add(pause);
        Decide(tasks, now);
    }

    /// <summary>Removes pauses; false if there is none.</summary>
    public bool Resume(Predicate<TaskPause> isResumed, MemoryIndex tasks, DateTimeOffset now)
    {
        if (_pauses.RemoveAll(isResumed) == 0)
        {
            return false;
        }

        Decide(tasks, now);
        return true;
    }

    /// <summary>The state after an event, with its hold decided.</summary>
    public ManagedState Decide(string appName, ManagedState after) => functions.Decide(Holds, appName, after);

    /// <summary>The next task whose hold is to be checked; null if all are checked.</summary>
    public MemoryTask? NextUnchecked() => _unchecked.TryDequeue(out var task) ? task : null;

    private void Decide(MemoryIndex tasks, DateTimeOffset now)
    {
        var announced = _announced.Values.SelectMany(executor =>
            from app in executor.Apps.Distinct()
            from method in executor.Commands!.Prepend("").Distinct()
            select (App: app, Method: method));
        Holds = functions.Compute(
            announced.GroupBy(command => command).Select(same => (same.Key.App, same.Key.Method, same.Count())),
            _pauses,
            now);
        _unchecked = new Queue<MemoryTask>(tasks.CommonQueue());
    }
}
