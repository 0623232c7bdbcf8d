
namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// What the host's options say about transitions; the same for every manager and executor over one store.
/// </summary>
public sealed class LifecycleRules
{
    /// <summary>The delay before a retry of a task that names none.</summary>
    public RetryDelay RetryDelay { get; init; } = RetryDelay.Default;

    /// <summary>After this many interruptions a run is parked. Default 5.</summary>
    public int MaxInterruptions { get; init; } = 5;

    /// <summary>How often an executor pings. Default 30 s.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An executor whose last ping is older is dead. Default 90 s.</summary>
    public TimeSpan ExecutorLifetime { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// How long after its deadline a run is aborted by the manager, so that its executor can say so first. Default 10
    /// s.
    /// </summary>
    public TimeSpan AbortGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A QUEUED task that no executor claims is aborted after its <c>max_exec_timeout</c>, as in the Python original.
    /// Default false: it waits as long as it must.
    /// </summary>
    public bool AbortOverdueQueued { get; init; }

    /// <summary>
    /// How long a task may be SUSPENDED before it is aborted, and how old a FAILED one may be to be retried. Default
    /// null: no limit.
    /// </summary>
    public TimeSpan? SuspendedLifetime { get; init; }

    /// <summary>What becomes of occurrences that nobody could run at their time. Default: they run once.</summary>
    public MissedRuns MissedRuns { get; init; }

    /// <summary>How many earlier runs of a task are kept. Default 10.</summary>
    public int KeptRuns { get; init; } = 10;
}
