namespace Kaiju.Tasks.Lifecycle;

/// <summary>The facts about a task that decide whether and when a failed run is retried.</summary>
/// <param name="Retries">The number of retries that have begun.</param>
/// <param name="MaxRetries">The largest number of retries.</param>
/// <param name="Delay">The task's own delay; null for the host's (<see cref="LifecycleRules.RetryDelay"/>).</param>
/// <param name="QueuedFor">The time from the queueing to the claim.</param>
internal readonly record struct RetryPlan(int Retries, int MaxRetries, TimeSpan? Delay, TimeSpan QueuedFor)
{
    /// <summary>The plan of a task at a time of the store's clock.</summary>
    public static RetryPlan Of(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        new(
            state.Retries, task.MaxRetries ?? 0, task.RetryDelay, now - state.QueuedAt ?? TimeSpan.Zero);

    /// <summary>True if the run was queued too long ago to be retried.</summary>
    public bool IsTooLate(TimeSpan elapsed, LifecycleRules rules) => QueuedFor + elapsed > rules.SuspendedLifetime;

    /// <summary>The time from a failure to the retry; null if the failure is final.</summary>
    /// <param name="jobId">The run's id.</param>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="elapsed">The time from the claim to the failure.</param>
    /// <param name="rules">The host's rules.</param>
    public TimeSpan? TimeToRetry(string jobId, int attempt, TimeSpan elapsed, LifecycleRules rules) =>
        Retries >= MaxRetries || IsTooLate(elapsed, rules)
            ? null
            : Delay ?? rules.RetryDelay.GetDelay(jobId, attempt);
}
