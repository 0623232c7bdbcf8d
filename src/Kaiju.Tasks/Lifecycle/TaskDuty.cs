namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// The duties of a manager for a task, apart from checking whether it is overdue.
/// </summary>
public enum TaskDuty
{
    /// <summary>Begin the next run of a periodic task that has ended (<see cref="TaskEvent.NextPeriod"/>).</summary>
    RestartPeriodic = 0,

    /// <summary>End a wait (<see cref="TaskEvent.CheckWait"/>).</summary>
    WakeWait = 1,

    /// <summary>Queue a task that is IDLE or SUSPENDED (<see cref="TaskEvent.QueueDue"/>).</summary>
    QueueDue = 2,

    /// <summary>Queue a FAILED task again (<see cref="TaskEvent.CheckRetry"/>).</summary>
    RequeueFailed = 3,
}

/// <summary>
/// A manager's duty for a task and the time at which it is due. A task has at most one, which follows from its
/// definition and its state.
/// </summary>
/// <param name="duty">The duty.</param>
/// <param name="at">The time at which it is due, by the store's clock.</param>
public readonly struct DueDuty(TaskDuty duty, DateTimeOffset at)
{
    /// <summary>The duty.</summary>
    public TaskDuty Duty { get; } = duty;

    /// <summary>The time at which the duty is due, by the store's clock.</summary>
    public DateTimeOffset At { get; } = at;

    /// <summary>
    /// The duty for a task; null if there is none until another event changes the task.
    /// </summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    public static DueDuty? Of(TaskDefinition task, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        if (!task.Enabled)
        {
            return null;
        }

        return state.State switch
        {
            TaskState.Queued or TaskState.Executing => null,
            TaskState.Idle => When(TaskDuty.QueueDue, state.NextRun),
            TaskState.Suspended => When(TaskDuty.QueueDue, state.StatusChange),
            TaskState.Waiting => When(TaskDuty.WakeWait, state.WaitDeadline),
            TaskState.Failed when state.RetryAt is not null => When(TaskDuty.RequeueFailed, state.RetryAt),
            _ => task.Cron is null ? null : When(TaskDuty.RestartPeriodic, state.StatusChange),
        };
    }

    private static DueDuty? When(TaskDuty duty, DateTimeOffset? time) => time is { } at ? new DueDuty(duty, at) : null;
}
