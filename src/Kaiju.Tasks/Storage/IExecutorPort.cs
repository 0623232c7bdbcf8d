using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What executors ask: claims, reports, heartbeats. A report is fenced by its claim and its stage.
/// </summary>
public interface IExecutorPort
{
    /// <summary>
    /// Carries out <see cref="TaskEvent.Claimed"/> for tasks that a queue other than the store handed out.
    /// </summary>
    /// <param name="executor">Who; it becomes known if it is not.</param>
    /// <param name="taskIds">Which.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait; the step may still happen: <see cref="GiveBackStrayClaimsAsync"/> gives back what it took.
    /// </param>
    /// <returns>Those that were QUEUED and enabled.</returns>
    ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.Reported"/>. Each report stands alone. The last stage's report also leaves the
    /// notification and starts the next task. A report delivered again is answered <see cref="ReportAnswer.Recorded"/>
    /// and changes nothing.
    /// </summary>
    /// <param name="reports">At most one for each claim.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait; the step may still happen: deliver the same report again to know.
    /// </param>
    /// <returns>An answer for each, in order.</returns>
    ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken);

    /// <summary>Notes that an executor lives, by the store's clock, and makes it known if it is not.</summary>
    /// <param name="executor">Who.</param>
    /// <param name="claims">What it runs.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>The claims of these that it does not hold any more.</returns>
    ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>The executors that are known, with their last pings.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken);

    /// <summary>The claims that are not held any more, without noting anything.</summary>
    /// <param name="claims">What an executor runs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.GivenBack"/> for what an executor holds but does not know of: claims whose
    /// answer was lost on the way. The executor asks for it between such a claim and its next one.
    /// </summary>
    /// <param name="executorId">Who.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken);

    /// <summary>
    /// Finds claims that an executor holds and does not list, without noting anything and without waiting for anyone. A
    /// claim that is still on its way to the executor is one of them.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="limit">The most claims to answer.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.GivenBack"/> for these claims of an executor. A claim that it does not hold any
    /// more is left alone, and so is a task that another step holds at this moment: nothing here waits for a row.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="claims">The claims.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.GivenBack"/> for all that an executor holds, and forgets the executor.
    /// </summary>
    /// <param name="executorId">Who.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken);
}
