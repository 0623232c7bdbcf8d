namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Computes how a task of another store (an export, the Python original) is stored. Its state is kept, and missing
/// members are derived from the others.
/// </summary>
public static class TaskImport
{
    /// <summary>
    /// Converts a definition of the original: its cron expressions have the seconds last, ours have them first.
    /// </summary>
    /// <param name="definition">The stored definition.</param>
    public static TaskDefinition Normalize(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var fields = definition.Cron?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return fields is { Length: 6 }
            ? definition with { Cron = string.Join(' ', [fields[5], .. fields[..5]]) }
            : definition;
    }

    /// <summary>The state of an imported task.</summary>
    /// <param name="task">The task, with a complete definition.</param>
    /// <param name="claim">The new claim of a task that is EXECUTED.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="rules">The host's rules.</param>
    public static ManagedState State(TaskRecord task, Guid claim, DateTimeOffset now, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(rules);
        var state = task.Managed;
        return state.State switch
        {
            TaskState.Executing => state with { Claim = claim, QueuedAt = state.QueuedAt ?? state.StatusChange },
            TaskState.Queued =>
                state with
                {
                    Hold = TaskHold.None,
                    Method = TaskLifecycle.MethodOf(task.Definition, state),
                    ExecutorId = null,
                    RetryAt = null,
                    QueuedAt = state.QueuedAt ?? state.StatusChange,
                },
            TaskState.Waiting => Waiting(task, state),
            TaskState.Failed when task.IsForeign =>
                state with { ExecutorId = null, RetryAt = state.RetryAt ?? RetryAt(task, state, now, rules) },
            TaskState.Failed => state with { ExecutorId = null },
            _ => state with { ExecutorId = null, RetryAt = null },
        };
    }

    /// <summary>
    /// The last ping of an executor that holds imported tasks, at the latest the store's time: the clock of the other
    /// store may be ahead.
    /// </summary>
    /// <param name="lastPing">The last ping, by the clock of the other store.</param>
    /// <param name="now">The store's time.</param>
    public static DateTimeOffset Ping(DateTimeOffset lastPing, DateTimeOffset now) => lastPing < now ? lastPing : now;

    /// <summary>The history entries of an imported task's results.</summary>
    /// <param name="task">The task.</param>
    public static IEnumerable<StageEntry> Entries(TaskRecord task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Result.Select((result, stage) => new StageEntry
        {
            JobId = task.Managed.ResultRun,
            Pass = task.Managed.ResultPass,
            Stage = stage,
            Attempt = 1,
            Started = task.StatusChange,
            Finished = task.StatusChange,
            Result = result,
        });
    }

    private static ManagedState Waiting(TaskRecord task, ManagedState state)
    {
        if (state.Wait != WaitKind.Message || state.WaitDeadline is not null || state.Stage >= task.Stages)
        {
            return state with { ExecutorId = null };
        }

        return state with
        {
            ExecutorId = null,
            WaitDeadline = state.StatusChange + task.Definition.Commands[state.Stage].MaxTimeout,
        };
    }

    // The original does not store the time of a retry, so a retry that is left is due now. A task that was never queued
    // has not failed a run.
    private static DateTimeOffset? RetryAt(
        TaskRecord task, ManagedState state, DateTimeOffset now, LifecycleRules rules) =>
        state.QueuedAt is not null
        && RetryPlan.Of(task.Definition, state, now).TimeToRetry(
            state.JobId, state.Attempt, TimeSpan.Zero, failure: null, rules) is not null
            ? now
            : null;
}
