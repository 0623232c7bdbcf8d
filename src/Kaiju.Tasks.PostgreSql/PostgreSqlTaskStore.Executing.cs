using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <content>What executors ask: claims by one statement; pings, and questions about claims, on a connection that waits for no work.</content>
internal sealed partial class PostgreSqlTaskStore
{
    public override ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) => AskApartAsync(
        async step =>
        {
            await step.ExecuteAsync("ping", Argument.Text("executor", executor.Id)).ConfigureAwait(false);
            return await LostAsync(step, claims).ConfigureAwait(false);
        },
        cancellationToken);

    public override ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        AskApartAsync(step => LostAsync(step, claims), cancellationToken);

    public override ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken) =>
        AskApartAsync(step => StraysAsync(step, executorId, known, limit), cancellationToken);

    /// <summary>One statement and one commit. After a fault in it nobody knows whether it has happened: whoever asked gives back what was claimed and not answered.</summary>
    internal override async ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var faults = new List<(Guid Claim, RowFault Fault)>();
            var claimed = await AskAsync(
                step =>
                {
                    faults.Clear();
                    return step.QueryAsync(
                        WithoutSetAside(step.Sql["claim"]),
                        row => ReadClaimed(row, request.Executor, faults),
                        Argument.Texts("apps", request.Executor.Apps.Distinct()),
                        Argument.Integer("most", request.MaxTasks),
                        Argument.Long("most_bytes", request.MaxBytes),
                        Argument.Text("executor", request.Executor.Id),
                        Argument.Long("grace", Rules.AbortGrace.Ticks),
                        Except(Claiming));
                },
                e => Faults.IsRolledBack(e) || Faults.IsHeld(e),
                cancellationToken).ConfigureAwait(false);
            if (faults.Count == 0)
            {
                return claimed!;
            }

            var isLeft = faults.TrueForAll(fault => Leave(Claiming, fault.Fault));
            await MoveHeldAsync(request.Executor.Id, row => faults.Exists(fault => fault.Claim == row.State.Claim), null, cancellationToken).ConfigureAwait(false);
            claimed.RemoveAll(task => task is null);
            if (claimed.Count > 0 || !isLeft || tries == MostRepeatedClaims)
            {
                return claimed!;
            }
        }
    }

    /// <summary>Asks on the connection of the heartbeats.</summary>
    private async ValueTask<T> AskApartAsync<T>(Func<PostgreSqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await RepeatAsync(
            () => _heartbeats.UseAsync(connection => act(NewStep(connection, false, cancellationToken)), cancellationToken).AsTask(),
            Faults.IsHeld,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A task that has been claimed; null and a fault if this version cannot read it, and must give it back.</summary>
    private static ExecutorTask? ReadClaimed(DbDataReader row, ExecutorInfo executor, List<(Guid Claim, RowFault Fault)> faults)
    {
        try
        {
            return ReadClaimed(row, executor);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            faults.Add((row.GetGuid(1), new RowFault(row.GetInt64(11), row.GetString(9), e)));
            return null;
        }
    }

    private static ExecutorTask ReadClaimed(DbDataReader row, ExecutorInfo executor)
    {
        var jobId = row.GetString(2);
        var state = new ManagedState
        {
            State = TaskState.Executed,
            ExecutorId = executor.Id,
            Claim = row.GetGuid(1),
            JobId = jobId,
            ResultRun = jobId,
            Pass = row.GetInt32(3),
            Retries = row.GetInt32(4),
            Stage = row.GetInt32(5),
            QueuedAt = row.TimeOrNull(12),
            ExecDeadline = row.Time(6),
        };
        return ExecutorTask.Of(row.Definition(0, 9, 10), state, row.Results(8), state.ExecDeadline.Value - TimeSpan.FromTicks(row.GetInt64(7)), row.GetInt64(11));
    }
}
