using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>The store's members for executors, except reports: claims, heartbeats and claims given back.</summary>
internal class ExecutorPort(SqlSession session, StoreParts parts, RowMoves moves)
{
    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        session.WriteAsync(new ClaimStep(parts, executor, taskIds).RunAsync, cancellationToken);

    public virtual ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor,
        IReadOnlyList<HeldClaim> claims,
        CancellationToken cancellationToken) => session.WriteAsync(
        async step =>
        {
            var ping = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
            await step.ExecuteAsync(
                "set_ping", Argument.Text("executor", executor.Id), Argument.Long("ping", ping)).ConfigureAwait(false);
            if (!await RoutingRows.IsAnnouncedAsync(step, executor).ConfigureAwait(false))
            {
                await RoutingRows.AnnounceAsync(step, executor).ConfigureAwait(false);
            }

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

    private ValueTask<IReadOnlyList<TaskMove>> GiveBackAsync(
        string executorId, Predicate<TaskRow> isGivenBack, CancellationToken cancellationToken) =>
        moves.MoveAsync(new GiveBackWork(parts, executorId, isGivenBack), int.MaxValue, cancellationToken);
}
