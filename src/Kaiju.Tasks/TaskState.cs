using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The states of a task. In JSON the member is named <c>status</c>, and its values are the upper-case names;
/// <see cref="Executing"/> is <c>EXECUTED</c>.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum TaskState
{
    /// <summary>
    /// The task waits for its next run at <see cref="TaskRecord.NextRun"/>; if that is null, a chain or a reset must
    /// start it.
    /// </summary>
    Idle = 0,

    /// <summary>The task can be claimed by an executor of its app.</summary>
    Queued = 1,

    /// <summary>An executor has claimed the task and runs its stages. No other executor can change it.</summary>
    Executing = 2,

    /// <summary>
    /// The task was released before its end, or its wait is over. Recorded results are kept; the manager queues it
    /// again.
    /// </summary>
    Suspended = 3,

    /// <summary>The task waits for a time or a message, without holding a worker.</summary>
    Waiting = 4,

    /// <summary>The last stage completed.</summary>
    Finished = 5,

    /// <summary>
    /// The run failed. It is retried at <see cref="TaskRecord.RetryAt"/>; if that is null, the failure is final.
    /// </summary>
    Failed = 6,
}

/// <summary>The kinds of waits of a WAITING task.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum WaitKind
{
    /// <summary>The task is not WAITING.</summary>
    None = 0,

    /// <summary>
    /// The task waits for the time <see cref="TaskRecord.WaitDeadline"/>. The stage's result is null.
    /// </summary>
    Timer = 1,

    /// <summary>
    /// The task waits for a message, at most until <see cref="TaskRecord.WaitDeadline"/>. The stage's result is the
    /// message.
    /// </summary>
    Message = 2,

    /// <summary>
    /// The present stage waits for the time <see cref="TaskRecord.WaitDeadline"/> and then begins again
    /// (<see cref="StageOutcome.Snooze"/>).
    /// </summary>
    Snooze = 3,
}

/// <summary>Whether a follow-up task (<see cref="TaskDefinition.NextTask"/>) was started, and if not, why.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum ChainResult
{
    /// <summary>The task has no follow-up task, or the run has not finished.</summary>
    None = 0,

    /// <summary>The follow-up task was started.</summary>
    Started = 1,

    /// <summary>The follow-up task was not started, because it does not exist.</summary>
    Missing = 2,

    /// <summary>The follow-up task was not started, because it is disabled.</summary>
    Disabled = 3,

    /// <summary>
    /// The follow-up task was not started, because it is queued, executed, suspended or waiting.
    /// </summary>
    Busy = 4,
}

/// <summary>
/// The ways to handle occurrences of a periodic task that were missed while no manager was running or the task was
/// disabled.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum MissedRuns
{
    /// <summary>
    /// The task runs once when a manager is running again, for the first missed occurrence. The later ones are counted
    /// as skipped.
    /// </summary>
    RunOnce = 0,

    /// <summary>
    /// The task runs once when a manager is running again, for the last missed occurrence. The earlier ones are counted
    /// as skipped.
    /// </summary>
    RunLatest = 1,

    /// <summary>
    /// The task does not run late: it continues with its next occurrence in the future, and the missed ones are counted
    /// as skipped. The last one still runs if it is at most <see cref="KaijuTasksOptions.MissedRunTolerance"/> late.
    /// </summary>
    Skip = 2,
}

/// <summary>The exit codes of runs. Their JSON values are the numbers.</summary>
public enum TaskExitCode
{
    /// <summary>Every stage completed.</summary>
    Success = 0,

    /// <summary>
    /// A stage failed: an error of its handler, template, condition, params or result, an unknown command, or the
    /// stage's own timeout.
    /// </summary>
    ExecutionError = 1,

    /// <summary>
    /// The run was ended from outside: it missed its deadline, was cancelled, was interrupted too often, or received no
    /// message in time.
    /// </summary>
    Aborted = 130,
}

/// <summary>The stages at which a retry can begin. The JSON values are the upper-case names.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum RestartPolicy
{
    /// <summary>A retry begins at the stage that failed, with the results of the stages before it.</summary>
    Current = 0,

    /// <summary>
    /// A retry begins at the first stage, without results. Timers and message waits are repeated.
    /// </summary>
    First = 1,
}

/// <summary>The ways to handle the creation of a task whose id exists.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum OnConflict
{
    /// <summary>
    /// The creation is refused: with a <see cref="TaskExistsException"/>, or with <see cref="CreateResult.Refused"/> if
    /// several tasks are created at once.
    /// </summary>
    Fail = 0,

    /// <summary>The stored task is left as it is; the result is <see cref="CreateResult.Skipped"/>.</summary>
    Skip = 1,

    /// <summary>
    /// The new definition replaces the stored task, which starts over. If the stored task is queued, executed,
    /// suspended or waiting, the creation is refused.
    /// </summary>
    Replace = 2,

    /// <summary>
    /// The stored task gets the new definition and keeps its state and its schedule; it is never refused because it
    /// runs. Commands, kws and app wait until the next run begins; all other members count at once. The result is
    /// <see cref="CreateResult.Updated"/>, <see cref="CreateResult.Unchanged"/> if the newest definition of the task is
    /// the same, or <see cref="CreateResult.Skipped"/> if <see cref="CreateOptions.Version"/> is lower than the stored
    /// one.
    /// </summary>
    Update = 3,
}

/// <summary>
/// The reasons for which a QUEUED task is not in the common queue of its app. A reason without a name here is one of a
/// later version, and only that version ends it.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum TaskHold
{
    /// <summary>None: every executor of the task's app may claim it.</summary>
    None = 0,

    /// <summary>
    /// Not every living executor of the app knows the method of the present stage. Only an executor that knows it
    /// claims the task.
    /// </summary>
    UnknownCommand = 1,

    /// <summary>The method of the present stage is paused (<see cref="ITaskClient.PauseAsync"/>).</summary>
    Paused = 2,
}
