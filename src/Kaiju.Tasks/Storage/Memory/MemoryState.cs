using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// The content of a store in memory, and the one lock that protects it. It is used only between
/// <see cref="BeginStep"/> and the end of that step; in between it neither waits nor calls other code.
/// </summary>
internal sealed class MemoryState(
    TimeProvider clock,
    LifecycleRules rules,
    IdSource ids,
    LifecycleFunction next,
    RoutingFunctions routing,
    ILogger guardedLogger)
{
    private readonly Lock _lock = new();
    private long _sequence;

    public LifecycleRules Rules => rules;

    /// <summary>The lifecycle, which decides the changes by an event.</summary>
    public LifecycleFunction Next => next;

    public MemoryIndex Tasks { get; } = new(rules);

    public MemoryNotifications Notifications { get; } = new();

    /// <summary>The last ping of each known executor.</summary>
    public Dictionary<string, DateTimeOffset> LastPings { get; } = new(StringComparer.Ordinal);

    /// <summary>The commands of executors, and the pauses.</summary>
    public MemoryRouting Routing { get; } = new(routing);

    /// <summary>The watch that managers keep over this store; null before the first of them.</summary>
    public StoreWatch? Watch { get; set; }

    /// <summary>The listeners for hints. They have a lock of their own and need no step.</summary>
    public HintListeners Listeners { get; } = new(e => Log.ListenerFailed(guardedLogger, e));

    /// <summary>
    /// Begins a step, which has exclusive access to the state until it is disposed:
    /// <c>using var step = state.BeginStep(cancellationToken);</c>.
    /// </summary>
    public MemoryStep BeginStep(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var step = new MemoryStep(this);
        _lock.Enter();
        return step;
    }

    /// <summary>
    /// Ends a step. Its hints are published after the lock is released, since listeners may call the store. A step that
    /// threw may publish needless hints, which is allowed.
    /// </summary>
    public void EndStep(MemoryStep step)
    {
        _lock.Exit();
        Listeners.Publish(step.Hints);
        step.WriteLog(guardedLogger);
    }

    public DateTimeOffset ReadClock() => clock.GetUtcNow();

    public Guid NewId() => ids.NewId();

    public string NewJobId() => ids.NewId().ToString();

    /// <summary>The next number in the order of arrival.</summary>
    public long NextSequence() => _sequence++;
}
