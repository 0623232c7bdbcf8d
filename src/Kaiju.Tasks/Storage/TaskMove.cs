namespace Kaiju.Tasks.Storage;

/// <summary>What a manager's verb did to one task.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="AppName">Its app.</param>
/// <param name="JobId">Its run.</param>
/// <param name="From">Its state before.</param>
/// <param name="To">Its state after.</param>
public readonly record struct TaskMove(string TaskId, string AppName, string JobId, TaskState From, TaskState To)
{
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
        var move = new TaskMove(taskId, appName, state.JobId, from, state.State);
        return state.State == TaskState.Failed
            ? move with { RetryAt = state.RetryAt, Reason = state.Error?.Message }
            : move;
    }
}
