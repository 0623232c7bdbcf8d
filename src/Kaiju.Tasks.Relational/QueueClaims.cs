using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What the queue asks: claims, which happen for every task and are the adapter's, and if there are any.
/// </summary>
internal abstract class QueueClaims(SqlSession session, StoreParts parts)
{
    /// <summary>How often a claim is repeated at once when all that it took was set aside.</summary>
    protected const int MostRepeated = 20;

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
}
