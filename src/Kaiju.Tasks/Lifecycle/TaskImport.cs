namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// How a stored task of somewhere else (an export, the Python original) comes into a store as it is: its state is kept,
/// and what the other did not keep is made up from what it did.
/// </summary>
public static class TaskImport
{
    /// <summary>
    /// The definition with what the original writes differently put right: cron with seconds has them in front here.
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

    /// <summary>The managed state of an imported task.</summary>
    /// <param name="task">The stored task, its definition complete.</param>
    /// <param name="claim">The claim of a task that is EXECUTED.</param>
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
                state with { ExecutorId = null, RetryAt = null, QueuedAt = state.QueuedAt ?? state.StatusChange },
            TaskState.Waiting => Waiting(task, state),
            TaskState.Failed when task.IsForeign =>
                state with { ExecutorId = null, RetryAt = state.RetryAt ?? RetryAt(task, state, now, rules) },
            TaskState.Failed => state with { ExecutorId = null },
            _ => state with { ExecutorId = null, RetryAt = null },
        };
    }

    /// <summary>
    /// The last ping of an executor that holds imported tasks: no other machine's clock makes it later than the store's
    /// time.
    /// </summary>
    /// <param name="lastPing">The ping that came with the import.</param>
    /// <param name="now">The store's time.</param>
    public static DateTimeOffset Ping(DateTimeOffset lastPing, DateTimeOffset now) => lastPing < now ? lastPing : now;

    /// <summary>The rows of an imported task's results.</summary>
    /// <param name="task">The stored task.</param>
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

    // The original does not say when a retry comes: one that is left is due. A task that was never queued has never
    // failed a run.
    private static DateTimeOffset? RetryAt(
        TaskRecord task, ManagedState state, DateTimeOffset now, LifecycleRules rules) =>
        state.QueuedAt is not null
        && RetryPlan.Of(task.Definition, state, now).TimeToRetry(
            state.JobId, state.Attempt, TimeSpan.Zero, rules) is not null
            ? now
            : null;
}
