
namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// The host's options that affect transitions. Every manager and executor of one store must have the same.
/// </summary>
public sealed class LifecycleRules
{
    /// <summary>The delay before a retry of a task without a delay of its own.</summary>
    public RetryDelay RetryDelay { get; init; } = RetryDelay.Default;

    /// <summary>The number of interruptions after which a run fails for good. Default 5.</summary>
    public int MaxInterruptions { get; init; } = 5;

    /// <summary>The time between two pings of an executor. Default 30 s.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The age of an executor's last ping beyond which the executor is considered dead. Default 90 s.
    /// </summary>
    public TimeSpan ExecutorLifetime { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// The time from a run's deadline until the manager aborts it; meanwhile its executor can report the timeout.
    /// Default 10 s.
    /// </summary>
    public TimeSpan AbortGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// True: a QUEUED task that no executor claims is aborted after its <c>max_exec_timeout</c>, as in the Python
    /// original. Default false: it stays queued without limit.
    /// </summary>
    public bool AbortOverdueQueued { get; init; }

    /// <summary>
    /// The longest time for which a task may be SUSPENDED before it is aborted. Also the longest time from the queueing
    /// of a run to its retry. Default: null, for no limit.
    /// </summary>
    public TimeSpan? SuspendedLifetime { get; init; }

    /// <summary>
    /// The way to handle missed occurrences of tasks without a <see cref="TaskDefinition.MissedRuns"/> of their own.
    /// Default <see cref="MissedRuns.RunOnce"/>.
    /// </summary>
    public MissedRuns MissedRuns { get; init; }

    /// <summary>
    /// The delay up to which an occurrence still runs with <see cref="MissedRuns.Skip"/>. Default 1 min.
    /// </summary>
    public TimeSpan MissedRunTolerance { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The number of earlier runs of a task that are kept. Default 10.</summary>
    public int KeptRuns { get; init; } = 10;
}
