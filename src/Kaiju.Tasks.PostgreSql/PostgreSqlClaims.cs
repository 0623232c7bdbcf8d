using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>Claims tasks for the queue, each time with one statement and one commit.</summary>
internal sealed class PostgreSqlClaims(PostgreSqlSession session, StoreParts parts, RowMoves moves)
    : QueueClaims(session, parts)
{
    private readonly PostgreSqlSession _session = session;
    private readonly StoreParts _parts = parts;

    public override async ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken)
    {
        var isRouted = await IsRoutedAsync(
            request.Executor,
            () => _session.ReadAsync(step => LookAsync(step, request.Executor), cancellationToken))
            .ConfigureAwait(false);
        var statement = isRouted ? "claim_routed" : "claim";
        for (var tries = 1; ; tries++)
        {
            var (claimed, faults) = await ClaimAsync(statement, request, cancellationToken).ConfigureAwait(false);
            if (faults.Count == 0)
            {
                return claimed!;
            }

            var isLeft = faults.TrueForAll(fault => _parts.Aside.Leave(RowsAside.Claiming, fault.Fault));
            var unread = new GiveBackWork(
                _parts, request.Executor.Id, row => faults.Exists(fault => fault.Claim == row.State.Claim));
            await moves.MoveAsync(unread, int.MaxValue, cancellationToken).ConfigureAwait(false);
            claimed.RemoveAll(task => task is null);
            if (claimed.Count > 0 || !isLeft || tries == MostRepeated)
            {
                return claimed!;
            }
        }
    }

    /// <summary>
    /// Claims the next tasks. After a fault the outcome of the statement is unknown: the executor gives back claims
    /// that it does not know of.
    /// </summary>
    /// <returns>
    /// The claimed tasks, with null for those that this version cannot read, and the claims of the latter to be given
    /// back.
    /// </returns>
    private ValueTask<(List<ExecutorTask?> Claimed, List<(Guid Claim, RowFault Fault)> Faults)> ClaimAsync(
        string statement, ClaimRequest request, CancellationToken cancellationToken) => _session.AskAsync(
        async step =>
        {
            var faults = new List<(Guid Claim, RowFault Fault)>();
            var claimed = await step.QueryAsync(
                _parts.Aside.WithoutClaims(step.Sql[statement], _session.ExceptClause),
                row => Read(row, request.Executor, faults),
                Argument.Texts("apps", request.Executor.Apps.Distinct()),
                Argument.Integer("most", request.MaxTasks),
                Argument.Long("most_bytes", request.MaxBytes),
                Argument.Text("executor", request.Executor.Id),
                Argument.Long("grace", _parts.Rules.AbortGrace.Ticks),
                _parts.Aside.Except(RowsAside.Claiming)).ConfigureAwait(false);
            return (claimed, faults);
        },
        static e => Faults.IsRolledBack(e) || Faults.IsHeld(e),
        cancellationToken);

    /// <summary>Reads a claimed task; null and a fault if this version cannot read it.</summary>
    private static ExecutorTask? Read(
        DbDataReader row, ExecutorInfo executor, List<(Guid Claim, RowFault Fault)> faults)
    {
        try
        {
            return ReadTask(row, executor);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            faults.Add((row.GetGuid(1), new RowFault(row.GetInt64(11), row.GetString(9), e)));
            return null;
        }
    }

    private static ExecutorTask ReadTask(DbDataReader row, ExecutorInfo executor)
    {
        var jobId = row.GetString(2);
        var (retries, freeRetries) = TaskRowColumns.SplitRetries(row.GetInt32(4), row.GetInt32(13));
        var state = new ManagedState
        {
            State = TaskState.Executing,
            ExecutorId = executor.Id,
            Claim = row.GetGuid(1),
            JobId = jobId,
            ResultRun = jobId,
            Pass = row.GetInt32(3),
            Retries = retries,
            FreeRetries = freeRetries,
            StageRetries = row.GetInt32(14),
            Changes = row.ChangesOrNull(15),
            Stage = row.GetInt32(5),
            QueuedAt = row.TimeOrNull(12),
            ExecDeadline = row.Time(6),
        };
        var now = state.ExecDeadline.Value - TimeSpan.FromTicks(row.GetInt64(7));
        return ExecutorTask.Of(row.Definition(0, 9, 10), state, row.Results(8), now, row.GetInt64(11));
    }
}
