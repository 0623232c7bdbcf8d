using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The calls of executors: claims, reports and heartbeats. A report is fenced by its claim and its stage.
/// </summary>
public interface IExecutorPort
{
    /// <summary>
    /// Claims tasks that a queue other than the store handed out (<see cref="TaskEvent.Claimed"/>).
    /// </summary>
    /// <param name="executor">The executor; the store registers an unknown one.</param>
    /// <param name="taskIds">The ids of the tasks.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait; the step may still complete. <see cref="GiveBackStrayClaimsAsync"/> gives its claims back.
    /// </param>
    /// <returns>The claimed tasks: those that were QUEUED and enabled.</returns>
    ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>
    /// Records reports (<see cref="TaskEvent.Reported"/>), each independently of the others. The report of the last
    /// stage also stores the notification and starts the next task. A report that is delivered again is answered <see
    /// cref="ReportAnswer.Recorded"/> and changes nothing.
    /// </summary>
    /// <param name="reports">The reports, at most one for each claim.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait; the step may still complete. Deliver the same report again to find out.
    /// </param>
    /// <returns>An answer for each report, in order.</returns>
    ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken);

    /// <summary>
    /// Records a ping of an executor by the store's clock, and registers an unknown executor. Until the executor is
    /// removed, its first ping also announces its commands (<see cref="ExecutorInfo.Commands"/>), from which
    /// <see cref="TaskRouting"/> decides.
    /// </summary>
    /// <param name="executor">The executor.</param>
    /// <param name="claims">The claims that it holds as far as it knows.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>Those of the claims that it does not hold any more.</returns>
    ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>Lists the known executors with their last pings.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken);

    /// <summary>Finds claims that are not held any more, without recording a ping.</summary>
    /// <param name="claims">The claims that an executor holds as far as it knows.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>
    /// Gives back claims that an executor holds but does not list (<see cref="TaskEvent.GivenBack"/>): the answer with
    /// them was lost. After such a loss, the executor calls it before its next claim.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken);

    /// <summary>
    /// Finds claims that an executor holds but does not list. It changes nothing and does not wait for other steps. A
    /// claim whose answer is still on its way to the executor is included.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="limit">The most claims.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Gives back these claims of an executor (<see cref="TaskEvent.GivenBack"/>). It never waits for a row: it skips
    /// tasks that another step holds at this moment. Claims that the executor does not hold any more are skipped too.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="claims">The claims.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>
    /// Gives back all claims of an executor (<see cref="TaskEvent.GivenBack"/>), and removes the executor.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken);
}
