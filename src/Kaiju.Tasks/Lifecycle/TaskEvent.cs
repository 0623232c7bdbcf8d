using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// An event that can change a task after its creation. The store makes the ids that an event contains.
/// </summary>
public abstract class TaskEvent
{
    private TaskEvent()
    {
    }

    /// <summary>The kind of event, without its data.</summary>
    public sealed override string ToString() => GetType().Name;

    /// <summary>The manager queues a task that is IDLE and due, or SUSPENDED.</summary>
    /// <param name="hasResults">True if the history has entries of the task's result run and pass.</param>
    /// <param name="waiting">
    /// The definition that waits for the task's next run (<see cref="TaskDeployment"/>). Default: null, for none.
    /// </param>
    public sealed class QueueDue(bool hasResults, TaskDefinition? waiting = null) : TaskEvent
    {
        /// <summary>The definition that waits for the task's next run; null if there is none.</summary>
        public TaskDefinition? Waiting { get; } = waiting;

        /// <summary>True if the history has entries of the task's result run and pass.</summary>
        public bool HasResults { get; } = hasResults;
    }

    /// <summary>An executor claims a QUEUED task.</summary>
    /// <param name="executorId">The executor's id.</param>
    /// <param name="claim">The claim: a random id, new for each claim.</param>
    /// <param name="commands">
    /// The methods that the executor has announced. Default: null, for none; then it claims no held task.
    /// </param>
    public sealed class Claimed(string executorId, Guid claim, IReadOnlyCollection<string>? commands = null) : TaskEvent
    {
        /// <summary>The executor's id.</summary>
        public string ExecutorId { get; } = executorId;

        /// <summary>The claim: a random id, new for each claim.</summary>
        public Guid Claim { get; } = claim;

        /// <summary>
        /// True if the executor may claim a task in this state: one that is not held, or one whose command this
        /// executor knows and others do not.
        /// </summary>
        internal bool MayTake(ManagedState state) => state.Hold == TaskHold.None
            || (state is { Hold: TaskHold.UnknownCommand, Method: { } method }
                && commands?.Contains(method, StringComparer.Ordinal) == true);
    }

    /// <summary>An executor reports the outcome of a stage.</summary>
    /// <param name="report">The report.</param>
    public sealed class Reported(StageReport report) : TaskEvent
    {
        /// <summary>The report.</summary>
        public StageReport Report { get; } = report;
    }

    /// <summary>An executor that stops releases an unfinished task.</summary>
    public sealed class GivenBack : TaskEvent;

    /// <summary>The executor that held the task is dead.</summary>
    public sealed class Interrupted : TaskEvent;

    /// <summary>The manager checks whether the task is overdue.</summary>
    public sealed class CheckOverdue : TaskEvent;

    /// <summary>The manager begins the next run of a periodic task that has ended.</summary>
    /// <param name="jobId">The next run's id.</param>
    public sealed class NextPeriod(string jobId) : TaskEvent
    {
        /// <summary>The next run's id.</summary>
        public string JobId { get; } = jobId;
    }

    /// <summary>The manager checks whether a wait is over.</summary>
    public sealed class CheckWait : TaskEvent;

    /// <summary>A client sends a message to the task.</summary>
    /// <param name="data">The message, any JSON value.</param>
    public sealed class MessageSent(JsonElement data) : TaskEvent
    {
        /// <summary>The message, any JSON value.</summary>
        public JsonElement Data { get; } = data;
    }

    /// <summary>The manager checks whether a retry is due.</summary>
    public sealed class CheckRetry : TaskEvent;

    /// <summary>A client retries the run that failed.</summary>
    /// <param name="shown">
    /// For an IDLE task: the run that the record shows (<see cref="ManagedState.ResultRun"/>); null if it is not kept.
    /// Default: null.
    /// </param>
    /// <param name="change">
    /// The changes with which the run begins a new pass. Default: null, to resume in its pass.
    /// </param>
    /// <param name="results">The number of results of the task's result run and pass. Default 0.</param>
    public sealed class Retried(TaskRun? shown = null, RetryChange? change = null, int results = 0) : TaskEvent
    {
        /// <summary>The number of results of the task's result run and pass.</summary>
        public int Results { get; } = results;

        /// <summary>The changes with which the run begins a new pass; null to resume in its pass.</summary>
        public RetryChange? Change { get; } = change;

        /// <summary>The run that the record of an IDLE task shows; null if it is not kept.</summary>
        public TaskRun? Shown { get; } = shown;
    }

    /// <summary>A client cancels the run.</summary>
    public sealed class Cancelled : TaskEvent;

    /// <summary>Another task finished and starts this one as its follow-up.</summary>
    /// <param name="jobId">The new run's id; not used if the task has not run yet.</param>
    public sealed class Chained(string jobId) : TaskEvent
    {
        /// <summary>The new run's id; not used if the task has not run yet.</summary>
        public string JobId { get; } = jobId;
    }

    /// <summary>A client restarts the task, whatever its state.</summary>
    /// <param name="jobId">The new run's id.</param>
    public sealed class Reset(string jobId) : TaskEvent
    {
        /// <summary>The new run's id.</summary>
        public string JobId { get; } = jobId;
    }
}
