using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// The announcements and the pauses of the model. Only <see cref="TaskRouting"/> decides what follows from them, anew
/// whenever one of them changes.
/// </summary>
internal sealed class ModelRouting
{
    private readonly Dictionary<string, ExecutorInfo> _announced = new(StringComparer.Ordinal);
    private readonly List<TaskPause> _pauses = [];

    public TaskRouting Holds { get; private set; } = TaskRouting.Empty;

    /// <summary>The methods that an executor has announced; null if it has announced none.</summary>
    public IReadOnlyCollection<string>? CommandsOf(string executorId) =>
        _announced.GetValueOrDefault(executorId)?.Commands;

    public void Announce(ExecutorInfo executor, DateTimeOffset now)
    {
        if (executor.Commands is not null && _announced.TryAdd(executor.Id, executor))
        {
            Decide(now);
        }
    }

    public void Forget(string executorId, DateTimeOffset now)
    {
        if (_announced.Remove(executorId))
        {
            Decide(now);
        }
    }

    public void Pause(TaskPause pause, DateTimeOffset now)
    {
        Remove(pause.AppName, pause.Method);
        _pauses.Add(pause);
        Decide(now);
    }

    /// <summary>Ends a pause; false if there is none, even one that is over.</summary>
    public bool Resume(string? app, string? method, DateTimeOffset now)
    {
        var isThere = Remove(app, method);
        if (isThere)
        {
            Decide(now);
        }

        return isThere;
    }

    /// <summary>Removes the pauses that are over.</summary>
    public void EndPauses(DateTimeOffset now)
    {
        if (_pauses.RemoveAll(pause => !IsInForce(pause, now)) > 0)
        {
            Decide(now);
        }
    }

    /// <summary>The pauses that are shown at a time.</summary>
    public IEnumerable<TaskPause> PausesAt(DateTimeOffset now) =>
        _pauses.Where(pause => IsInForce(pause, now))
            .OrderBy(pause => pause.AppName ?? "", StringComparer.Ordinal)
            .ThenBy(pause => pause.Method ?? "", StringComparer.Ordinal);

    /// <summary>
    /// True if an app is paused as a whole. Null if that is left to the store: the clock was put back to a time before
    /// the end of a pause, after it was decided without that pause.
    /// </summary>
    public bool? IsPaused(string app, DateTimeOffset now)
    {
        var isInForce = _pauses.Exists(
            pause => pause.AppName == app && pause.Method is null && IsInForce(pause, now));
        return isInForce == Holds.IsPaused(app, now) ? isInForce : null;
    }

    private static bool IsInForce(TaskPause pause, DateTimeOffset now) => pause.Until is null || pause.Until > now;

    private bool Remove(string? app, string? method) =>
        _pauses.RemoveAll(pause => pause.AppName == app && pause.Method == method) > 0;

    private void Decide(DateTimeOffset now)
    {
        var known =
            from executor in _announced.Values
            from app in executor.Apps
            from method in executor.Commands!.Append("")
            group executor by (app, method) into same
            select (same.Key.app, same.Key.method, same.Count());
        Holds = new TaskRouting(known, _pauses, now);
    }
}
