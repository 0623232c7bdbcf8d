using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The store's members for executors: pings and questions about claims use a connection that never waits for work.
/// </summary>
internal sealed class PostgreSqlExecutorPort(
    PostgreSqlSession session,
    StoreParts parts,
    RowMoves moves,
    PostgreSqlRetries retries,
    DedicatedConnection heartbeats)
    : ExecutorPort(session, parts, moves)
{
    /// <summary>
    /// The longest wait for held rows when claims are given back; it is shorter than the wait of a stopping executor.
    /// </summary>
    private static readonly TimeSpan _mostGivingBack = TimeSpan.FromSeconds(3);

    private readonly PostgreSqlSession _session = session;
    private readonly StoreParts _parts = parts;

    public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        var (lost, isAnnounced) = await _session.AskDedicatedAsync(
            heartbeats,
            async step =>
            {
                await step.ExecuteAsync("ping", Argument.Text("executor", executor.Id)).ConfigureAwait(false);
                return (
                    await ClaimRows.FindLostAsync(step, claims).ConfigureAwait(false),
                    await RoutingRows.IsAnnouncedAsync(step, executor).ConfigureAwait(false));
            },
            cancellationToken).ConfigureAwait(false);
        if (!isAnnounced)
        {
            await _session.WriteAsync(
                step => RoutingRows.AnnounceAsync(step, executor), cancellationToken).ConfigureAwait(false);
        }

        return lost;
    }

    public override ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        _session.AskDedicatedAsync(heartbeats, step => ClaimRows.FindLostAsync(step, claims), cancellationToken);

    public override ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        _session.AskDedicatedAsync(
            heartbeats, step => ClaimRows.FindStraysAsync(step, executorId, known, limit), cancellationToken);

    public override ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken) => GiveBackForAWhileAsync(
        executorId, [], () => base.SuspendExecutorAsync(executorId, cancellationToken), cancellationToken);

    public override ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId,
        IReadOnlyList<HeldClaim> known,
        CancellationToken cancellationToken) => GiveBackForAWhileAsync(
        executorId,
        known,
        () => base.GiveBackStrayClaimsAsync(executorId, known, cancellationToken),
        cancellationToken);

    /// <summary>
    /// Gives free tasks back at once. Tasks that another transaction holds are skipped, and retried for a while.
    /// </summary>
    private async ValueTask<IReadOnlyList<TaskMove>> GiveBackForAWhileAsync(
        string executorId,
        IReadOnlyList<HeldClaim> known,
        Func<ValueTask<IReadOnlyList<TaskMove>>> giveBack,
        CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var moves = await giveBack().ConfigureAwait(false);
        for (var tries = 1; ; tries++)
        {
            var left = await _session.ReadAsync(
                step => step.QueryAsync("held_by", row => row.GetGuid(0), Argument.Text("executor", executorId)),
                cancellationToken).ConfigureAwait(false);
            var count = left.Except(known.Select(held => held.Claim)).Count();
            if (count == 0)
            {
                return moves;
            }

            if (TimeProvider.System.GetElapsedTime(began) >= _mostGivingBack)
            {
                RelationalLog.GiveBackIncomplete(_parts.Logger, executorId, count);
                return moves;
            }

            await Task.Delay(retries.PauseOf(tries), TimeProvider.System, cancellationToken).ConfigureAwait(false);
            moves = [.. moves, .. await giveBack().ConfigureAwait(false)];
        }
    }
}
