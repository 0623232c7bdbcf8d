using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Sqlite;

/// <summary>What executors ask.</summary>
internal sealed class SqliteExecutorPort(SqliteSession session, StoreParts parts, RowMoves moves, ReportBatches batches)
    : ExecutorPort(session, parts, moves)
{
    private readonly SqliteSession _session = session;
    private readonly SqliteClaims _claims = new(session, parts);

    public override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken) => _session.WriteAsync<IReadOnlyList<ExecutorTask>>(
        async step =>
        {
            var claimed = new List<ExecutorTask>();
            for (var tries = 0; tries < MostRepeatedClaims; tries++)
            {
                // Where all of them were set aside, others may stand behind them.
                if (await _claims.ClaimAsync(
                    (SqliteStep)step, request, claimed).ConfigureAwait(false) != ClaimOutcome.SetAside)
                {
                    break;
                }
            }

            if (claimed.Count > 0)
            {
                await ClaimRows.KnowAsync(step, request.Executor).ConfigureAwait(false);
            }

            return claimed;
        },
        cancellationToken);

    public override ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        batches.RecordAsync(reports, cancellationToken);
}
