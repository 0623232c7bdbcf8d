namespace Kaiju.Tasks.Storage;

/// <summary>What a manager's verb did to one task.</summary>
public readonly struct TaskMove
{
    /// <summary>The task.</summary>
    public required string TaskId { get; init; }

    /// <summary>Its app.</summary>
    public required string AppName { get; init; }

    /// <summary>Its run.</summary>
    public required string JobId { get; init; }

    /// <summary>Its state before.</summary>
    public required TaskState From { get; init; }

    /// <summary>Its state after.</summary>
    public required TaskState To { get; init; }

    /// <summary>Of a task that has become FAILED: when it is tried again; null: the failure is final.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Of a task that has become FAILED: the message of its error.</summary>
    public string? Reason { get; init; }

    /// <summary>What a store answers for a task that it has moved.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="appName">Its app.</param>
    /// <param name="from">Its state before.</param>
    /// <param name="state">What it is now.</param>
    public static TaskMove Of(string taskId, string appName, TaskState from, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var move = new TaskMove
        {
            TaskId = taskId,
            AppName = appName,
            JobId = state.JobId,
            From = from,
            To = state.State,
        };
        return state.State == TaskState.Failed
            ? move with { RetryAt = state.RetryAt, Reason = state.Error?.Message }
            : move;
    }
}
