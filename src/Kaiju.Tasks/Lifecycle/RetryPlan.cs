using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>A number of retries of which some are used.</summary>
/// <param name="Used">The number of retries that have begun.</param>
/// <param name="Most">The largest number of retries.</param>
/// <param name="Delay">The delay before each retry; null for that of the next wider budget.</param>
internal readonly record struct RetryBudget(int Used, int Most, TimeSpan? Delay)
{
    public bool IsLeft => Used < Most;
}

/// <summary>
/// The facts about a task that decide whether, when and from which budget a failed run is retried. The lifecycle asks
/// it at the failure and again when the retry is due; executors ask it for their logs.
/// </summary>
/// <param name="OfStage">The budget of the stage that failed; used up before the task's.</param>
/// <param name="OfTask">The budget of the task.</param>
/// <param name="QueuedFor">The time from the queueing to the claim.</param>
internal readonly record struct RetryPlan(RetryBudget OfStage, RetryBudget OfTask, TimeSpan QueuedFor)
{
    /// <summary>True if the next retry is one of the stage: it stays in its pass under any policy.</summary>
    public bool IsOfStage => OfStage.IsLeft;

    /// <summary>True if a budget has a retry left.</summary>
    public bool IsLeft => OfStage.IsLeft || OfTask.IsLeft;

    /// <summary>The plan of a task at a time of the store's clock.</summary>
    public static RetryPlan Of(TaskDefinition task, ManagedState state, DateTimeOffset now) => Of(
        state.Stage < task.Commands.Count ? task.Commands[state.Stage] : null,
        state.StageRetries,
        new RetryBudget(state.Retries, task.MaxRetries ?? 0, task.RetryDelay),
        now - state.QueuedAt ?? TimeSpan.Zero);

    /// <summary>The plan of a stage that an executor runs.</summary>
    public static RetryPlan Of(ExecutorTask task, int stage) => Of(
        task.Commands[stage - task.Stage],
        task.RetriesOf(stage),
        new RetryBudget(task.Retries, task.MaxRetries, task.RetryDelay),
        task.QueuedFor);

    /// <summary>True if the run was queued too long ago to be retried.</summary>
    public bool IsTooLate(TimeSpan elapsed, LifecycleRules rules) => QueuedFor + elapsed > rules.SuspendedLifetime;

    /// <summary>The time from a failure to the retry; null if the failure is final.</summary>
    /// <param name="jobId">The run's id.</param>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="elapsed">The time from the claim to the failure.</param>
    /// <param name="failure">The failure; null for one that a manager has found.</param>
    /// <param name="rules">The host's rules.</param>
    public TimeSpan? TimeToRetry(
        string jobId, int attempt, TimeSpan elapsed, StageOutcome.Failure? failure, LifecycleRules rules)
    {
        if (failure?.IsFinal == true || !IsLeft || IsTooLate(elapsed, rules))
        {
            return null;
        }

        return failure?.RetryAfter ?? (IsOfStage
            ? OfStage.Delay ?? OfTask.Delay ?? rules.RetryDelay.GetDelay(jobId, OfStage.Used + 1)
            : OfTask.Delay ?? rules.RetryDelay.GetDelay(jobId, attempt));
    }

    private static RetryPlan Of(TaskCommand? command, int stageRetries, RetryBudget ofTask, TimeSpan queuedFor) => new(
        new RetryBudget(stageRetries, command?.MaxRetries ?? 0, command?.RetryDelay),

        // A command with a delay alone delays the retries that its failures take from the task's budget.
        command is { MaxRetries: null, RetryDelay: { } delay } ? ofTask with { Delay = delay } : ofTask,
        queuedFor);
}
