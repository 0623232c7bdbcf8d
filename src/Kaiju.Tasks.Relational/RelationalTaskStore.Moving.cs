using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>How many tasks are moved together without one of them being in the way of the others. See docs/decisions/0010.</content>
internal abstract partial class RelationalTaskStore
{
    private static readonly TaskEvent _interrupted = new TaskEvent.Interrupted();
    private static readonly TaskEvent _givenBack = new TaskEvent.GivenBack();

    private readonly SetAside _setAside = new(clock ?? TimeProvider.System);

    /// <summary>True for a fault that one of a batch's rows may be the cause of, and not the connection or the server.</summary>
    protected virtual bool IsOfRow(Exception e) => RowFault.IsOfReading(e);

    /// <summary>What stands in a statement in the place of <c>/*except*/</c> while something is set aside.</summary>
    protected virtual string ExceptClause => "";

    /// <summary>A statement that is carried out all the time: it asks for what is set aside only if there is something.</summary>
    protected string WithoutSetAside(string statement) =>
        _setAside.In(Claiming).Length == 0 ? statement : statement.Replace("/*except*/", ExceptClause, StringComparison.Ordinal);

    /// <summary>The tasks that are left alone in these kinds of work, as the argument of a statement.</summary>
    protected Argument Except(params ReadOnlySpan<string> works) => new Argument("except", ColumnType.Long, _setAside.In(works), true);

    /// <summary>Leaves a task alone in this work for a while, and says so.</summary>
    /// <returns>False if it is not left alone, since too many are.</returns>
    protected bool Leave(string work, RowFault fault)
    {
        var pause = _setAside.Add(work, fault.TaskNo);
        if (pause > TimeSpan.Zero)
        {
            RelationalLog.TaskSetAside(logger, fault.Reason, fault.TaskId, work, pause);
            return true;
        }

        RelationalLog.TooManySetAside(logger, fault.Reason, fault.TaskId, work, SetAside.Most);
        return false;
    }

    /// <summary>Says that a row is left out of an answer, once for as long as it would be set aside.</summary>
    private void LeaveOut(string work, RowFault fault)
    {
        if (!_setAside.In(work).Contains(fault.TaskNo) && _setAside.Add(work, fault.TaskNo) > TimeSpan.Zero)
        {
            RelationalLog.RowLeftOut(logger, fault.Reason, fault.TaskId, work);
        }
    }

    /// <summary>
    /// Moves what is loaded, in one transaction. What this process cannot read is set aside, and the rest is moved. If the transaction
    /// fails because of a row that cannot be decided or written, smaller ones follow, until that row stands alone and is set aside too.
    /// </summary>
    /// <param name="work">The name of this work, for what is set aside.</param>
    /// <param name="load">Loads at most so many rows, always the same ones first, without those that are set aside.</param>
    /// <param name="happened">What happens to each.</param>
    /// <param name="limit">The most rows in all.</param>
    /// <param name="end">Ends each transaction; it is told whether the transaction leaves none of the rows as it was.</param>
    /// <param name="cancellationToken">Cancels the wait; steps may still complete.</param>
    private async ValueTask<IReadOnlyList<TaskMove>> MoveAsync(
        string work,
        Func<SqlStep, int, ValueTask<List<TaskRow>>> load,
        Func<TaskRow, TaskEvent> happened,
        int limit,
        Func<SqlStep, bool, ValueTask>? end,
        CancellationToken cancellationToken)
    {
        var moves = new List<TaskMove>();
        var (most, left, patience) = (limit, limit, limit);
        while (true)
        {
            var (rows, faults, count, isWhole) = (new List<TaskRow>(), new List<RowFault>(), 0, false);
            try
            {
                moves.AddRange(await WriteAsync(
                    async step =>
                    {
                        var loaded = await load(step, most).ConfigureAwait(false);
                        (rows, count) = (await WithoutHeldAsync(step, loaded).ConfigureAwait(false), loaded.Count);
                        var moved = await MoveAsync(step, rows, happened).ConfigureAwait(false);
                        faults = [.. step.Unreadable];
                        isWhole = faults.Count == 0 && count < most;
                        if (end is not null)
                        {
                            await end(step, isWhole).ConfigureAwait(false);
                        }

                        return moved;
                    },
                    cancellationToken).ConfigureAwait(false));
                left -= count;
            }
            catch (Exception e) when (rows.Count > 0 && !cancellationToken.IsCancellationRequested && IsOfRow(e))
            {
                most = Math.Max(1, rows.Count / 2);
                if (rows.Count > 1)
                {
                    continue;
                }

                (isWhole, faults) = (false, [new RowFault(rows[0].TaskNo, rows[0].Id, e)]);
            }

            patience -= faults.Count;
            var isPassedOver = faults.TrueForAll(fault => Leave(work, fault));
            if (isWhole || left <= 0 || patience <= 0 || !isPassedOver || (most == limit && faults.Count == 0))
            {
                return moves;
            }

            most = (int)Math.Min(2L * most, left);
        }
    }

    /// <summary>The rows are held by this step; the tasks that they start may be held by another transaction.</summary>
    private static async ValueTask<List<TaskRow>> WithoutHeldAsync(SqlStep step, List<TaskRow> rows)
    {
        if (!step.PassesOver)
        {
            return rows;
        }

        var free = await step.HoldFreeAsync(rows.Select(row => row.Id)).ConfigureAwait(false);
        return rows.FindAll(row => free.Contains(row.Id));
    }

    private static async ValueTask<IReadOnlyList<TaskMove>> MoveAsync(SqlStep step, List<TaskRow> rows, Func<TaskRow, TaskEvent> happened)
    {
        var moves = new List<TaskMove>();
        var now = await step.NowAsync().ConfigureAwait(false);
        foreach (var row in rows)
        {
            var from = row.State.State;
            if (await step.HappenAsync(row, happened(row)).ConfigureAwait(false))
            {
                moves.Add(TaskMove.Of(row.Id, row.Head.AppName!, from, row.State));
            }
            else
            {
                // Such as a cron expression without another occurrence: nothing to do until something else happens to it.
                row.Drop(now);
                step.MarkChanged(row);
            }
        }

        return moves;
    }
}
