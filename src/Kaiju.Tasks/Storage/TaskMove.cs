namespace Kaiju.Tasks.Storage;

/// <summary>The move of one task by a duty.</summary>
public readonly struct TaskMove
{
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The task's app.</summary>
    public required string AppName { get; init; }

    /// <summary>The task's run.</summary>
    public required string JobId { get; init; }

    /// <summary>The task's state before the move.</summary>
    public required TaskState From { get; init; }

    /// <summary>The task's state after the move.</summary>
    public required TaskState To { get; init; }

    /// <summary>The time of the retry of a task that became FAILED. Default: null, for a final failure.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>The message of the error of a task that became FAILED. Default: null.</summary>
    public string? Reason { get; init; }

    /// <summary>Creates a store's answer for a task that it has moved.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="appName">The task's app.</param>
    /// <param name="from">The task's state before the move.</param>
    /// <param name="state">The managed state after the move.</param>
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
