using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>The roles of a host: the work that it does for tasks.</summary>
[Flags]
public enum TaskRoles
{
    /// <summary>No role.</summary>
    None = 0,

    /// <summary>Creates, reads and controls tasks through <see cref="ITaskClient"/>.</summary>
    Client = 1,

    /// <summary>Moves tasks between states when time or events say so.</summary>
    Manager = 2,

    /// <summary>Claims tasks and runs their stages.</summary>
    Executor = 4,

    /// <summary>All roles in one process.</summary>
    All = Client | Manager | Executor,
}

/// <summary>
/// The options of a host. They are checked when the host starts, and one error names everything that is wrong. Options
/// marked (store) must be the same in every process over one store.
/// </summary>
public sealed class KaijuTasksOptions
{
    /// <summary>
    /// The app of this host. Tasks that its client creates without an app belong to it. 1 to 200 characters. Default
    /// <c>default</c>.
    /// </summary>
    public string AppName { get; set; } = "default";

    /// <summary>The apps whose tasks the executor runs. Default: empty, which means <see cref="AppName"/>.</summary>
    public IList<string> ExecutorApps { get; } = [];

    /// <summary>The roles of this host. Default <see cref="TaskRoles.All"/>.</summary>
    public TaskRoles Roles { get; set; } = TaskRoles.All;

    /// <summary>The number of tasks that the executor runs at once, 1 to 10,000. Default 16.</summary>
    public int Capacity { get; set; } = 16;

    /// <summary>
    /// Values for templates and conditions, which read them under <c>executor</c>, beside <c>id</c> and
    /// <c>app_name</c>. Default: empty.
    /// </summary>
    public IDictionary<string, string> ExecutorData { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The limits of a task. (store)</summary>
    public TaskLimits Limits { get; set; } = new();

    /// <summary>
    /// The JSON serialization of the host's types in params, kws, messages and results. Default: the Web defaults of
    /// System.Text.Json. (store)
    /// </summary>
    public JsonSerializerOptions SerializerOptions { get; set; } = new(JsonSerializerDefaults.Web);

    /// <summary>
    /// The <see cref="TaskDefinition.MaxRetries"/> of a task that the client creates without one: 0 to
    /// <see cref="TaskLimits.MaxRetries"/>. Default 0.
    /// </summary>
    public int DefaultMaxRetries { get; set; }

    /// <summary>
    /// The delay before a retry, for tasks that set none. Default <see cref="Tasks.RetryDelay.Default"/>. (store)
    /// </summary>
    public RetryDelay RetryDelay { get; set; } = RetryDelay.Default;

    /// <summary>
    /// Chooses the delay before a retry from the failure: 0 to <see cref="TaskLimits.MaxWait"/>, or null for the
    /// declared delay (<see cref="TaskCommand.RetryDelay"/>, <see cref="TaskDefinition.RetryDelay"/>,
    /// <see cref="RetryDelay"/>). Called by the executor while a retry is left; it must return soon. If it throws, or
    /// its answer is out of range, the declared delay is used, with a warning at most once a minute. Failures that a
    /// manager finds have the declared delay. Default: null, for the declared delay.
    /// </summary>
    public Func<RetryContext, TimeSpan?>? ChooseRetryDelay { get; set; }

    /// <summary>
    /// The number of executors that may die while they hold a run before the run is parked as FAILED, 1 to 1,000.
    /// Default 5. (store)
    /// </summary>
    public int MaxInterruptions { get; set; } = 5;

    /// <summary>
    /// The time between two pings of an executor, 1 s to 1 h. Default 30 s. An unanswered ping is cancelled after this
    /// time, or after a third of the executor's lifetime if that is shorter, and then retried. (store)
    /// </summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The number of missed pings after which an executor counts as dead and its tasks resume elsewhere, 2 to 100.
    /// Default 3. The minimum is 2, so that one late ping does not expel an executor. (store)
    /// </summary>
    public int MaxMissedPings { get; set; } = 3;

    /// <summary>
    /// The time between two queries of an executor for lost claims while it runs tasks, 100 ms to 1 min. Default 1 s. A
    /// cancel reaches a handler in another process within twice this time. Must be shorter than
    /// <see cref="PingInterval"/> × <see cref="MaxMissedPings"/>.
    /// </summary>
    public TimeSpan ClaimCheckInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest sleep of a loop that no hint wakes, 10 ms to 10 min. Default 5 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The longest pause of a loop after a failure, 100 ms to 10 min. Default 3 s, so that work resumes soon after an
    /// outage of the store. Pauses begin at 100 ms and double.
    /// </summary>
    public TimeSpan MaxFaultDelay { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The longest time that a member of <see cref="ITaskClient"/> waits for one answer of the store, 100 ms to 1 h.
    /// Default 30 s. After it the member throws <see cref="TaskStoreTimeoutException"/>. For members that make several
    /// calls (waits, streams, bulk operations) it limits each call.
    /// </summary>
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most tasks that a manager moves in one step, 1 to 100,000. Default 500.</summary>
    public int ManagerBatch { get; set; } = 500;

    /// <summary>
    /// The approximate size of the commands, kws and results of one claim, in bytes, at least 1. Default 16 MiB.
    /// </summary>
    public long MaxClaimBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// The time for stages to end when the host stops, before their tokens are cancelled, 0 to 1 h. Default 20 s. The
    /// host's own shutdown timeout must be longer than this and <see cref="StopCancelTimeout"/> together.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The time for stages to end after their tokens are cancelled, before their tasks are released, 0 to 1 h. Default
    /// 3 s.
    /// </summary>
    public TimeSpan StopCancelTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The time between a run's deadline and its abort by the manager, so that its executor can report first, 0 to 1 h.
    /// Default 10 s. (store)
    /// </summary>
    public TimeSpan AbortGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The way of the executor to handle a stage whose command it does not know. Default
    /// <see cref="Tasks.UnknownCommands.Wait"/>.
    /// </summary>
    public UnknownCommands UnknownCommands { get; set; }

    /// <summary>
    /// Whether a QUEUED task is aborted if it is not claimed within its <c>max_exec_timeout</c>, as in the Python
    /// original. Default false: it waits without limit. (store)
    /// </summary>
    public bool AbortOverdueQueued { get; set; }

    /// <summary>
    /// The longest time that a task may be SUSPENDED before it is aborted, and the greatest age of a FAILED task that
    /// is still retried. At least <see cref="PollInterval"/>, at most 36,600 days. Default null: no limit. (store)
    /// </summary>
    public TimeSpan? SuspendedLifetime { get; set; }

    /// <summary>
    /// The handling of occurrences that could not run at their time, for periodic tasks without a
    /// <see cref="TaskDefinition.MissedRuns"/> of their own. Default <see cref="MissedRuns.RunOnce"/>: any number of
    /// missed occurrences leads to one run. (store)
    /// </summary>
    public MissedRuns MissedRuns { get; set; }

    /// <summary>
    /// The delay up to which an occurrence still runs with <see cref="MissedRuns.Skip"/>, 0 to 1 day. Default 1 min.
    /// (store)
    /// </summary>
    public TimeSpan MissedRunTolerance { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The number of earlier runs that are kept for each task, 0 to 1,000. Default 10. (store)</summary>
    public int KeptRuns { get; set; } = 10;

    /// <summary>
    /// The age after which a manager deletes tasks that have ended and are not retried, 1 min to 36,600 days. Default
    /// null: never. Checked once an hour. Periodic tasks and tasks marked <see cref="TaskDefinition.System"/> are kept.
    /// </summary>
    public TimeSpan? DeleteEndedAfter { get; set; }

    /// <summary>
    /// The age after which a manager deletes tasks whose last run FAILED without a retry, 1 min to 36,600 days. Usually
    /// longer than <see cref="DeleteEndedAfter"/>, so that failures can be examined. Default null: the same as
    /// <see cref="DeleteEndedAfter"/>.
    /// </summary>
    public TimeSpan? DeleteFailedAfter { get; set; }

    /// <summary>
    /// The age after which a manager deletes notifications, read or not, 1 min to 36,600 days. Default null: never.
    /// Checked once an hour.
    /// </summary>
    public TimeSpan? DeleteNotificationsAfter { get; set; }

    /// <summary>Whether a handler's error includes the stack trace. Default true.</summary>
    public bool StackTraces { get; set; } = true;

    /// <summary>The apps whose tasks the executor runs, at least one.</summary>
    internal IReadOnlyList<string> Apps => ExecutorApps.Count > 0 ? [.. ExecutorApps.Distinct()] : [AppName];
}
