using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// All that a store in memory keeps, and the one lock that owns it. It is used only between <see cref="BeginStep"/> and
/// the end of that step; nothing in between waits or calls out.
/// </summary>
internal sealed class MemoryState(
    TimeProvider clock, LifecycleRules rules, IdSource ids, LifecycleFunction next, ILogger guardedLogger)
{
    private readonly Lock _lock = new();
    private long _sequence;

    public LifecycleRules Rules => rules;

    /// <summary>Decides what an event makes of a task.</summary>
    public LifecycleFunction Next => next;

    public MemoryIndex Tasks { get; } = new(rules);

    public MemoryNotifications Notifications { get; } = new();

    /// <summary>The last ping of each executor that is known.</summary>
    public Dictionary<string, DateTimeOffset> LastPings { get; } = new(StringComparer.Ordinal);

    /// <summary>What managers have seen of this store; null until the first of them looked.</summary>
    public StoreWatch? Watch { get; set; }

    /// <summary>Those that asked for hints. They have a lock of their own and need no step.</summary>
    public HintListeners Listeners { get; } = new(e => Log.ListenerFailed(guardedLogger, e));

    /// <summary>
    /// Begins a step, which has the state to itself until it is disposed of:
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
    /// Ends a step. Listeners get its hints after the lock is released, since they may call the store. A step that
    /// threw may give hints for nothing, which hints may be.
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
