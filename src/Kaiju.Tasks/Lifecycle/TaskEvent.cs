using System.Text.Json;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Everything that can happen to a task after its creation. Ids are made by the store and come in with the event.
/// </summary>
public abstract class TaskEvent
{
    private TaskEvent()
    {
    }

    /// <summary>The kind of event, without its data.</summary>
    public sealed override string ToString() => GetType().Name;

    /// <summary>The manager found an IDLE task due, or a SUSPENDED one.</summary>
    /// <param name="hasResults">The task's result run and pass has rows.</param>
    public sealed class QueueDue(bool hasResults) : TaskEvent
    {
        /// <summary>The task's result run and pass has rows.</summary>
        public bool HasResults { get; } = hasResults;
    }

    /// <summary>An executor takes a QUEUED task.</summary>
    /// <param name="executorId">Who.</param>
    /// <param name="claim">A random id, made for this claim.</param>
    public sealed class Claimed(string executorId, Guid claim) : TaskEvent
    {
        /// <summary>Who.</summary>
        public string ExecutorId { get; } = executorId;

        /// <summary>A random id, made for this claim.</summary>
        public Guid Claim { get; } = claim;
    }

    /// <summary>An executor reports of a stage.</summary>
    /// <param name="report">What it says.</param>
    public sealed class Reported(StageReport report) : TaskEvent
    {
        /// <summary>What it says.</summary>
        public StageReport Report { get; } = report;
    }

    /// <summary>An executor that stops gives an unfinished task back.</summary>
    public sealed class GivenBack : TaskEvent;

    /// <summary>The executor that held the task is dead.</summary>
    public sealed class Interrupted : TaskEvent;

    /// <summary>The manager looks whether the task has taken too long.</summary>
    public sealed class CheckOverdue : TaskEvent;

    /// <summary>The manager found an ended periodic task.</summary>
    /// <param name="jobId">The next run's id.</param>
    public sealed class NextPeriod(string jobId) : TaskEvent
    {
        /// <summary>The next run's id.</summary>
        public string JobId { get; } = jobId;
    }

    /// <summary>The manager looks whether a wait is over.</summary>
    public sealed class CheckWait : TaskEvent;

    /// <summary>A message for the task.</summary>
    /// <param name="data">The message, any JSON.</param>
    public sealed class MessageSent(JsonElement data) : TaskEvent
    {
        /// <summary>The message, any JSON.</summary>
        public JsonElement Data { get; } = data;
    }

    /// <summary>The manager looks whether a retry is due.</summary>
    public sealed class CheckRetry : TaskEvent;

    /// <summary>Somebody cancels the run.</summary>
    public sealed class Cancelled : TaskEvent;

    /// <summary>A task that finished names this one as its next.</summary>
    /// <param name="jobId">The new run's id, for a task that has run before.</param>
    public sealed class Chained(string jobId) : TaskEvent
    {
        /// <summary>The new run's id, for a task that has run before.</summary>
        public string JobId { get; } = jobId;
    }

    /// <summary>Somebody starts the task over, whatever it was doing.</summary>
    /// <param name="jobId">The new run's id.</param>
    public sealed class Reset(string jobId) : TaskEvent
    {
        /// <summary>The new run's id.</summary>
        public string JobId { get; } = jobId;
    }
}
