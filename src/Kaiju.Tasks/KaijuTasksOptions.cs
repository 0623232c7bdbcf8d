using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>What a host does with tasks.</summary>
[Flags]
public enum TaskRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Creates, reads and steers tasks through <see cref="ITaskClient"/>.</summary>
    Client = 1,

    /// <summary>Moves tasks between states when time or events say so.</summary>
    Manager = 2,

    /// <summary>Runs stages.</summary>
    Executor = 4,

    /// <summary>All of it in one process.</summary>
    All = Client | Manager | Executor,
}

/// <summary>
/// How a host runs tasks. Checked when the host starts, with everything that is wrong in one error. What is marked
/// (store) must be the same in every process over one store.
/// </summary>
public sealed class KaijuTasksOptions
{
    /// <summary>
    /// The app of this host: whose tasks the client creates where a task names none. 1 to 200 characters. Default
    /// <c>default</c>.
    /// </summary>
    public string AppName { get; set; } = "default";

    /// <summary>
    /// The apps whose tasks the executor runs. Default: none given, which means <see cref="AppName"/>.
    /// </summary>
    public IList<string> ExecutorApps { get; } = [];

    /// <summary>What this host does. Default <see cref="TaskRoles.All"/>.</summary>
    public TaskRoles Roles { get; set; } = TaskRoles.All;

    /// <summary>How many tasks the executor runs at once, 1 to 10,000. Default 16.</summary>
    public int Capacity { get; set; } = 16;

    /// <summary>
    /// What templates and conditions find under <c>executor</c>, beside <c>id</c> and <c>app_name</c>.
    /// </summary>
    public IDictionary<string, string> ExecutorData { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The bounds of a task. (store)</summary>
    public TaskLimits Limits { get; set; } = new();

    /// <summary>
    /// How types of yours become JSON in params, kws, messages and results. Default: System.Text.Json's Web defaults.
    /// (store)
    /// </summary>
    public JsonSerializerOptions SerializerOptions { get; set; } = new(JsonSerializerDefaults.Web);

    /// <summary>
    /// The <see cref="TaskDefinition.MaxRetries"/> of a task that the client creates without one: 0 to
    /// <see cref="TaskLimits.MaxRetries"/>. Default 0.
    /// </summary>
    public int DefaultMaxRetries { get; set; }

    /// <summary>
    /// The time before a retry of a task that names none. Default <see cref="Tasks.RetryDelay.Default"/>. (store)
    /// </summary>
    public RetryDelay RetryDelay { get; set; } = RetryDelay.Default;

    /// <summary>After so many dead executors a run is parked FAILED, 1 to 1,000. Default 5. (store)</summary>
    public int MaxInterruptions { get; set; } = 5;

    /// <summary>
    /// How often an executor pings, whatever else it does, 1 s to 1 h. Default 30 s. A ping without an answer is given
    /// up within this time, at the latest after a third of the executor's lifetime, and repeated. (store)
    /// </summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so many missed pings an executor is dead and its tasks go on elsewhere, 2 to 100: after one, a ping that
    /// is a moment late would be a death. Default 3. (store)
    /// </summary>
    public int MaxMissedPings { get; set; } = 3;

    /// <summary>
    /// How often an executor with running work asks which claims it has lost, 100 ms to 1 min. Default 1 s: a cancel
    /// reaches a handler in another process within twice that. Shorter than <see cref="PingInterval"/> ×
    /// <see cref="MaxMissedPings"/>.
    /// </summary>
    public TimeSpan ClaimCheckInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a loop sleeps at most when no hint wakes it, 10 ms to 10 min. Default 5 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The longest pause of a loop that meets faults; it begins at a tenth of a second and doubles. 100 ms to 10 min.
    /// Default 3 s: work goes on soon after the store is back.
    /// </summary>
    public TimeSpan MaxFaultDelay { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The longest time that a member of <see cref="ITaskClient"/> waits for one answer of the store, 100 ms to 1 h.
    /// Default 30 s. A late answer is a <see cref="TaskStoreTimeoutException"/>. A member that asks more than once
    /// (waits, streams, bulk) is bounded question by question.
    /// </summary>
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many tasks a manager moves in one step, 1 to 100,000. Default 500.</summary>
    public int ManagerBatch { get; set; } = 500;

    /// <summary>
    /// About how many bytes of commands, kws and results one claim may bring, at least 1. Default 16 MiB.
    /// </summary>
    public long MaxClaimBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// How long stages may go on when the host stops, before their tokens are cancelled, 0 to 1 h. Default 20 s. The
    /// host's own shutdown timeout must be longer.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long stages may take to end after that, before their tasks are given back, 0 to 1 h. Default 3 s.
    /// </summary>
    public TimeSpan StopCancelTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long after its deadline a run is aborted by the manager, so that its executor can say so first, 0 to 1 h.
    /// Default 10 s. (store)
    /// </summary>
    public TimeSpan AbortGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A QUEUED task that nobody claims is aborted after its <c>max_exec_timeout</c>, as in the Python original.
    /// Default false: it waits as long as it must. (store)
    /// </summary>
    public bool AbortOverdueQueued { get; set; }

    /// <summary>
    /// How long a task may be SUSPENDED before it is aborted, and how old a FAILED one may be to be retried; at least
    /// <see cref="PollInterval"/>, at most 36,600 days. Default null: no limit. (store)
    /// </summary>
    public TimeSpan? SuspendedLifetime { get; set; }

    /// <summary>
    /// What becomes of occurrences of a periodic task that nobody could run at their time. Default: however many, they
    /// run once. (store)
    /// </summary>
    public MissedRuns MissedRuns { get; set; }

    /// <summary>How many earlier runs of a task are kept, 0 to 1,000. Default 10. (store)</summary>
    public int KeptRuns { get; set; } = 10;

    /// <summary>
    /// A manager deletes tasks that ended for good longer ago than this, once an hour; 1 min to 36,600 days. Periodic
    /// tasks and those marked <see cref="TaskDefinition.System"/> stay. Default null: never.
    /// </summary>
    public TimeSpan? DeleteEndedAfter { get; set; }

    /// <summary>
    /// The age at which a manager deletes tasks that FAILED for good, instead of <see cref="DeleteEndedAfter"/>: usually
    /// longer, so that failures can be looked at. 1 min to 36,600 days. Default: null, the same as
    /// <see cref="DeleteEndedAfter"/>.
    /// </summary>
    public TimeSpan? DeleteFailedAfter { get; set; }

    /// <summary>
    /// A manager deletes notifications that were left longer ago than this, read or not, once an hour; 1 min to 36,600
    /// days. Default null: never.
    /// </summary>
    public TimeSpan? DeleteNotificationsAfter { get; set; }

    /// <summary>Stack traces are part of a handler's error. Default true.</summary>
    public bool StackTraces { get; set; } = true;

    /// <summary>The apps whose tasks the executor runs, never none.</summary>
    internal IReadOnlyList<string> Apps => ExecutorApps.Count > 0 ? [.. ExecutorApps.Distinct()] : [AppName];
}
