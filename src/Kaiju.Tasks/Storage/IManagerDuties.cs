using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What managers do when time or events say so. Each duty moves at most so many tasks, answers which, and is guarded by
/// the state that it starts from, so that any number of managers may do it at once.
/// </summary>
public interface IManagerDuties
{
    /// <summary>
    /// Keeps the store's one <see cref="StoreWatch"/>: applies <see cref="StoreWatch.Next"/> and stores what it says,
    /// in one guarded statement that waits for no other manager. Managers call it in a rhythm of their own, whatever
    /// there is to do.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>What a manager needs to know before it expels anyone.</returns>
    ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken);

    /// <summary>Finds work that no host seems to do, without noting anything and without waiting for anyone.</summary>
    /// <param name="age">The time for which work must have waited, more than 0.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets executors that have been silent for longer than <see cref="LifecycleRules.ExecutorLifetime"/> at a given
    /// time, and carries out <see cref="TaskEvent.Interrupted"/> for their tasks. Whether the store was there for them
    /// to ping is the caller's question.
    /// </summary>
    /// <param name="asOf">
    /// The time, by the store's clock, as <see cref="WatchAsync"/> answers it; null for now. What is later is not held
    /// against an executor.
    /// </param>
    /// <param name="limit">The most tasks to move; an executor is forgotten with its last one.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Like <see cref="ExpelDeadExecutorsAsync(DateTimeOffset?, int, CancellationToken)"/>, as of now.
    /// </summary>
    /// <param name="limit">The most tasks to move; an executor is forgotten with its last one.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(int limit, CancellationToken cancellationToken) =>
        ExpelDeadExecutorsAsync(null, limit, cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckOverdue"/> for tasks that are.</summary>
    /// <param name="limit">How many at most, the longest overdue first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.NextPeriod"/> for periodic tasks that have ended.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckWait"/> for waits that are over.</summary>
    /// <param name="limit">How many at most, the longest over first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.QueueDue"/> for IDLE tasks that are due and for SUSPENDED ones.
    /// </summary>
    /// <param name="limit">How many at most, the longest due first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckRetry"/> for FAILED tasks whose retry is due.</summary>
    /// <param name="limit">How many at most, the longest due first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// How long, by the store's clock, until a manager has something to do; zero if it has now, null if nothing is in
    /// sight. Deaths of executors are those of <see cref="StoreWatch.FirstExpulsion"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Deletes tasks that ended for good longer ago than <paramref name="age"/>; periodic ones and those marked
    /// <see cref="TaskDefinition.System"/> stay.
    /// </summary>
    /// <param name="state"><see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>.</param>
    /// <param name="age">The least time since the end.</param>
    /// <param name="limit">The largest number of tasks, the oldest end first.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>The ids of those that are gone.</returns>
    ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken);
}
