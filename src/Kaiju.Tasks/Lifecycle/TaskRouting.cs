namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Decides which queued tasks are held, from the commands that living executors have announced and from the pauses: a
/// pure function. A store keeps one, computes it anew when one of these facts changes, and asks it in each step that
/// queues a task.
/// </summary>
public sealed class TaskRouting
{
    private readonly Dictionary<(string App, string Method), TaskHold> _holds = [];
    private readonly HashSet<(string App, string Method)> _known;
    private readonly Dictionary<string, TaskPause> _pausedApps = new(StringComparer.Ordinal);

    /// <summary>The routing of a store without executors and pauses: no task is held.</summary>
    public static TaskRouting Empty { get; } = new([], [], DateTimeOffset.UnixEpoch);

    /// <summary>Computes the routing.</summary>
    /// <param name="known">
    /// The number of living executors that have announced each app and method, and for each app, with an empty method,
    /// the number of those that have announced anything.
    /// </param>
    /// <param name="pauses">The pauses.</param>
    /// <param name="now">The store's time. A pause that is over by then does not count.</param>
    public TaskRouting(
        IEnumerable<(string AppName, string Method, int Executors)> known,
        IEnumerable<TaskPause> pauses,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(pauses);
        var announced = known.ToList();
        var executors = announced.Where(command => command.Method.Length == 0)
            .ToDictionary(command => command.AppName, command => command.Executors, StringComparer.Ordinal);
        _known = [.. announced.Select(command => (command.AppName, command.Method))];
        foreach (var (app, method, count) in announced)
        {
            _holds[(app, method)] = method.Length > 0 && count == executors[app]
                ? TaskHold.None
                : TaskHold.UnknownCommand;
        }

        foreach (var pause in pauses.Where(pause => pause.IsInForce(now)))
        {
            Add(pause);
        }
    }

    /// <summary>
    /// The stored form: the hold of each app and method that the facts name. An empty method stands for all others of
    /// the app, an empty app for all others with the method. The most specific one counts.
    /// </summary>
    public IReadOnlyDictionary<(string AppName, string Method), TaskHold> Holds => _holds;

    /// <summary>The hold of a queued task.</summary>
    /// <param name="appName">The task's app.</param>
    /// <param name="method">
    /// The method of its present stage (<see cref="ManagedState.Method"/>); null is never held.
    /// </param>
    public TaskHold HoldOf(string appName, string? method) => method is null
        ? TaskHold.None
        : _holds.TryGetValue((appName, method), out var own) ? own
        : _holds.TryGetValue(("", method), out var ofMethod) ? ofMethod
        : _holds.GetValueOrDefault((appName, ""));

    /// <summary>True if an app was paused as a whole when the routing was computed.</summary>
    internal bool HasPausedApps => _pausedApps.Count > 0;

    /// <summary>True if the app is paused as a whole; its tasks are not held, but no claim takes them.</summary>
    /// <param name="appName">The app.</param>
    /// <param name="now">The store's time.</param>
    public bool IsPaused(string appName, DateTimeOffset now) =>
        _pausedApps.TryGetValue(appName, out var pause) && pause.IsInForce(now);

    /// <summary>True if a living executor of the app knows the method, as far as executors have announced.</summary>
    /// <param name="appName">The app.</param>
    /// <param name="method">The method.</param>
    public bool IsKnown(string appName, string method) =>
        _known.Contains((appName, method)) || !_known.Contains((appName, ""));

    /// <summary>
    /// The state with its hold decided anew. A task that was put back stays held even if no announcement says so.
    /// </summary>
    /// <param name="appName">The task's app.</param>
    /// <param name="state">The state after an event.</param>
    public ManagedState Decide(string appName, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Decide(HoldOf(appName, state.Method), state);
    }

    /// <summary>The same with a hold that was found. A hold that only a later version knows stays.</summary>
    internal static ManagedState Decide(TaskHold hold, ManagedState state) =>
        state.State == TaskState.Queued && hold != TaskHold.None && hold != state.Hold && Enum.IsDefined(state.Hold)
            ? state with { Hold = hold }
            : state;

    private void Add(TaskPause pause)
    {
        if (pause.Method is not { } method)
        {
            _pausedApps[pause.AppName!] = pause;
            return;
        }

        _holds[(pause.AppName ?? "", method)] = TaskHold.Paused;
        foreach (var other in _holds.Keys.Where(key => pause.AppName is null && key.Method == method).ToList())
        {
            _holds[other] = TaskHold.Paused;
        }
    }
}
