using System.Text.Json;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Everything that can happen to a task after its creation. Ids are made by the store and come in with the event.
/// </summary>
public abstract record TaskEvent
{
    private TaskEvent()
    {
    }

    /// <summary>The manager found an IDLE task due, or a SUSPENDED one.</summary>
    /// <param name="HasResults">The task's result run and pass has rows.</param>
    public sealed record QueueDue(bool HasResults) : TaskEvent;

    /// <summary>An executor takes a QUEUED task.</summary>
    /// <param name="ExecutorId">Who.</param>
    /// <param name="Claim">A random id, made for this claim.</param>
    public sealed record Claimed(string ExecutorId, Guid Claim) : TaskEvent;

    /// <summary>An executor reports of a stage.</summary>
    /// <param name="Report">What it says.</param>
    public sealed record Reported(StageReport Report) : TaskEvent;

    /// <summary>An executor that stops gives an unfinished task back.</summary>
    public sealed record GivenBack : TaskEvent;

    /// <summary>The executor that held the task is dead.</summary>
    public sealed record Interrupted : TaskEvent;

    /// <summary>The manager looks whether the task has taken too long.</summary>
    public sealed record CheckOverdue : TaskEvent;

    /// <summary>The manager found an ended periodic task.</summary>
    /// <param name="JobId">The next run's id.</param>
    public sealed record NextPeriod(string JobId) : TaskEvent;

    /// <summary>The manager looks whether a wait is over.</summary>
    public sealed record CheckWait : TaskEvent;

    /// <summary>A message for the task.</summary>
    /// <param name="Data">The message, any JSON.</param>
    public sealed record MessageSent(JsonElement Data) : TaskEvent;

    /// <summary>The manager looks whether a retry is due.</summary>
    public sealed record CheckRetry : TaskEvent;

    /// <summary>Somebody cancels the run.</summary>
    public sealed record Cancelled : TaskEvent;

    /// <summary>A task that finished names this one as its next.</summary>
    /// <param name="JobId">The new run's id, for a task that has run before.</param>
    public sealed record Chained(string JobId) : TaskEvent;

    /// <summary>Somebody starts the task over, whatever it was doing.</summary>
    /// <param name="JobId">The new run's id.</param>
    public sealed record Reset(string JobId) : TaskEvent;
}
