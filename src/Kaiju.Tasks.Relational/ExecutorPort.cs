using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What executors ask. Claims of the queue and records, which happen for every stage, are the adapter's.
/// </summary>
internal abstract class ExecutorPort(SqlSession session, StoreParts parts, RowMoves moves)
{
    /// <summary>How often a claim is repeated at once when all that it took was set aside.</summary>
    public const int MostRepeatedClaims = 20;

    /// <summary>Claims what is queued: by priority, then by age, no more than is asked for.</summary>
    public abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>True if there is something to claim, beside what is set aside.</summary>
    public ValueTask<bool> HasQueuedAsync(IReadOnlyList<string> apps, CancellationToken cancellationToken) =>
        session.ReadAsync(
        async step => (await step.QueryAsync(
            parts.Aside.WithoutClaims(step.Sql["has_queued"], session.ExceptClause),
            row => row.GetBoolean(0),
            Argument.Texts("apps", apps),
            parts.Aside.Except(RowsAside.Claiming)).ConfigureAwait(false))[0],
        cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        session.WriteAsync(new ClaimStep(parts, executor, taskIds).RunAsync, cancellationToken);

    public abstract ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken);

    public virtual ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor,
        IReadOnlyList<HeldClaim> claims,
        CancellationToken cancellationToken) => session.WriteAsync(
        async step =>
        {
            var ping = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
            await step.ExecuteAsync(
                "set_ping", Argument.Text("executor", executor.Id), Argument.Long("ping", ping)).ConfigureAwait(false);
            return await ClaimRows.FindLostAsync(step, claims).ConfigureAwait(false);
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken) =>
        session.ReadAsync<IReadOnlyList<ExecutorPing>>(
            async step => await step.QueryAsync(
                "list_executors", row => new ExecutorPing(row.GetString(0), row.Time(1))).ConfigureAwait(false),
            cancellationToken);

    public virtual ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        session.ReadAsync(step => ClaimRows.FindLostAsync(step, claims), cancellationToken);

    public virtual ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        session.ReadAsync(step => ClaimRows.FindStraysAsync(step, executorId, known, limit), cancellationToken);

    public virtual ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken)
    {
        var claims = known.Select(held => held.Claim).ToHashSet();
        return GiveBackAsync(executorId, row => !claims.Contains(row.State.Claim!.Value), cancellationToken);
    }

    public ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        var given = claims.ToHashSet();
        return GiveBackAsync(
            executorId, row => given.Contains(new HeldClaim(row.Id, row.State.Claim!.Value)), cancellationToken);
    }

    public virtual ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken) =>
        moves.MoveAsync(new SuspendWork(parts, executorId), int.MaxValue, cancellationToken);

    /// <summary>Gives back some of what an executor holds.</summary>
    protected ValueTask<IReadOnlyList<TaskMove>> GiveBackAsync(
        string executorId, Predicate<TaskRow> isGivenBack, CancellationToken cancellationToken) =>
        moves.MoveAsync(new GiveBackWork(parts, executorId, isGivenBack), int.MaxValue, cancellationToken);
}
