using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>Where a task stands. Its JSON name is <c>status</c>, its JSON values are the upper-case names.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum TaskState
{
    /// <summary>
    /// Waits for its next run (<c>next_run</c>); one without a next run waits until a chain or a reset starts it.
    /// </summary>
    Idle = 0,

    /// <summary>May be claimed by an executor of its app.</summary>
    Queued = 1,

    /// <summary>Claimed: an executor runs its stages and is the only one who may write.</summary>
    Executing = 2,

    /// <summary>Given back before its end, with what it had recorded; the manager queues it again.</summary>
    Suspended = 3,

    /// <summary>Parked on a timer or a message; holds no worker.</summary>
    Waiting = 4,

    /// <summary>Its last stage is recorded.</summary>
    Finished = 5,

    /// <summary>Failed. Final if <see cref="TaskRecord.RetryAt"/> is null, else a retry comes then.</summary>
    Failed = 6,
}

/// <summary>What a WAITING task waits for.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum WaitKind
{
    /// <summary>Nothing: the task is not WAITING.</summary>
    None = 0,

    /// <summary>A time, <see cref="TaskRecord.WaitDeadline"/>; its result is null.</summary>
    Timer = 1,

    /// <summary>A message, at most until <see cref="TaskRecord.WaitDeadline"/>; its result is the message.</summary>
    Message = 2,
}

/// <summary>What became of the start of a <see cref="TaskDefinition.NextTask"/>.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum ChainResult
{
    /// <summary>There was none to start, or the run has not finished.</summary>
    None = 0,

    /// <summary>It was started.</summary>
    Started = 1,

    /// <summary>There is no task with that id.</summary>
    Missing = 2,

    /// <summary>It is disabled.</summary>
    Disabled = 3,

    /// <summary>It is under way: queued, executed, suspended or waiting.</summary>
    Busy = 4,
}

/// <summary>What becomes of occurrences that nobody could run at their time.</summary>
public enum MissedRuns
{
    /// <summary>However many they are, the task runs once when a manager is there again.</summary>
    RunOnce = 0,

    /// <summary>One is left out if the following one is due too; only the last one runs.</summary>
    Skip = 1,
}

/// <summary>How a run ended. Its JSON value is the number.</summary>
public enum TaskExitCode
{
    /// <summary>Every stage is recorded.</summary>
    Success = 0,

    /// <summary>
    /// A stage failed: its handler, its own timeout, its template or condition, or an unknown command.
    /// </summary>
    ExecutionError = 1,

    /// <summary>
    /// Ended from outside: a missed deadline, a cancel, too many interruptions, a message that did not come.
    /// </summary>
    Aborted = 130,
}

/// <summary>Where a retry begins. Its JSON values are the upper-case names.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum RestartPolicy
{
    /// <summary>At the stage that failed, with the results of the stages before it.</summary>
    Current = 0,

    /// <summary>At the first stage, with no results, in a new pass: timers and message waits are repeated.</summary>
    First = 1,
}

/// <summary>What creation does when the id is known already.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum OnConflict
{
    /// <summary>Refuses it; the stored task is left alone.</summary>
    Fail = 0,

    /// <summary>Leaves the stored task alone and says so.</summary>
    Skip = 1,

    /// <summary>
    /// Puts the new definition in its place and starts over, unless the stored task is queued, executed, suspended or
    /// waiting: then it is refused.
    /// </summary>
    Replace = 2,
}
