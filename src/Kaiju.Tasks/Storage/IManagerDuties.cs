using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The duties of managers: moves that are due by time or after an event. Each moves a limited number of tasks and
/// answers which. A move is guarded by the state from which it starts, so any number of managers may call at once.
/// </summary>
public interface IManagerDuties
{
    /// <summary>
    /// Keeps the store's one <see cref="StoreWatch"/>: applies <see cref="StoreWatch.Next"/> and stores the result, in
    /// one guarded statement that waits for no other manager. Managers call it at regular intervals, even if there is
    /// nothing else to do.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>The state of the watch, which a manager needs before it expels executors.</returns>
    ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken);

    /// <summary>Finds work that no host seems to do. It changes nothing and does not wait for other steps.</summary>
    /// <param name="age">The time for which the work must have waited; more than 0.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>
    /// Removes executors whose last ping was longer than <see cref="LifecycleRules.ExecutorLifetime"/> before a given
    /// time, and interrupts their tasks (<see cref="TaskEvent.Interrupted"/>). The caller must make sure that executors
    /// could reach the store in that time.
    /// </summary>
    /// <param name="asOf">
    /// The given time, by the store's clock, as answered by <see cref="WatchAsync"/>; null for now. Silence after that
    /// time does not count.
    /// </param>
    /// <param name="limit">The most tasks to move; an executor is removed with its last task.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Like <see cref="ExpelDeadExecutorsAsync(DateTimeOffset?, int, CancellationToken)"/>, as of now.
    /// </summary>
    /// <param name="limit">The most tasks to move; an executor is removed with its last task.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(int limit, CancellationToken cancellationToken) =>
        ExpelDeadExecutorsAsync(null, limit, cancellationToken);

    /// <summary>Aborts overdue runs (<see cref="TaskEvent.CheckOverdue"/>).</summary>
    /// <param name="limit">The most tasks to move, the longest overdue first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Begins the next run of periodic tasks that have ended (<see cref="TaskEvent.NextPeriod"/>).</summary>
    /// <param name="limit">The most tasks to move.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Ends waits whose time is over (<see cref="TaskEvent.CheckWait"/>).</summary>
    /// <param name="limit">The most tasks to move, the longest due first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Queues IDLE tasks that are due, and SUSPENDED tasks (<see cref="TaskEvent.QueueDue"/>).
    /// </summary>
    /// <param name="limit">The most tasks to move, the longest due first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Queues FAILED tasks whose retry is due (<see cref="TaskEvent.CheckRetry"/>).</summary>
    /// <param name="limit">The most tasks to move, the longest due first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Corrects the holds of queued tasks (<see cref="TaskRouting"/>) after a change of announcements or pauses, after
    /// a race, and after a crash. It also ends pauses whose time is over. Held tasks are corrected at once; the common
    /// queue is looked through from its front, in steps that remember their position.
    /// </summary>
    /// <param name="limit">The most tasks to change. The number of tasks that a step looks at is bounded too.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// The time by the store's clock until a manager's next duty; zero if one is due now, null if none is planned.
    /// Deaths of executors count from <see cref="StoreWatch.FirstExpulsion"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Deletes tasks that ended for good longer ago than <paramref name="age"/>; periodic ones and those marked
    /// <see cref="TaskDefinition.System"/> stay.
    /// </summary>
    /// <param name="state"><see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>.</param>
    /// <param name="age">The least time since the end.</param>
    /// <param name="limit">The most tasks to delete, the oldest end first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>The ids of the deleted tasks.</returns>
    ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken);
}
