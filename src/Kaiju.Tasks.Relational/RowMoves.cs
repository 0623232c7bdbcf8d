using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>A kind of work that moves many tasks by the same event.</summary>
/// <param name="name">Its name, for what is set aside.</param>
internal abstract class MoveWork(string name)
{
    public string Name => name;

    /// <summary>Loads at most so many rows, always the same ones first, without those that are set aside.</summary>
    public abstract ValueTask<List<TaskRow>> LoadAsync(SqlStep step, int most);

    /// <summary>What happens to a row.</summary>
    public abstract TaskEvent EventOf(TaskRow row);

    /// <summary>Ends a transaction.</summary>
    /// <param name="step">The step.</param>
    /// <param name="isWhole">The transaction leaves none of the rows as it was.</param>
    public virtual ValueTask EndAsync(SqlStep step, bool isWhole) => default;
}

/// <summary>
/// How many tasks are moved together without one of them being in the way of the others. See docs/decisions/0010.
/// </summary>
internal sealed class RowMoves(SqlSession session, StoreParts parts)
{
    /// <summary>
    /// Moves what is loaded, in one transaction. What this process cannot read is set aside, and the rest is moved. If
    /// the transaction fails because of a row that cannot be decided or written, smaller ones follow, until that row
    /// stands alone and is set aside too.
    /// </summary>
    /// <param name="work">The work.</param>
    /// <param name="limit">The most rows in all.</param>
    /// <param name="cancellationToken">Cancels the wait; steps may still complete.</param>
    public async ValueTask<IReadOnlyList<TaskMove>> MoveAsync(
        MoveWork work, int limit, CancellationToken cancellationToken)
    {
        var moves = new List<TaskMove>();
        var (most, left, patience) = (limit, limit, limit);
        while (true)
        {
            var batch = new MoveBatch(work, most);
            try
            {
                moves.AddRange(await session.WriteAsync(batch.MoveAsync, cancellationToken).ConfigureAwait(false));
                left -= batch.Found;
            }
            catch (Exception e) when (batch.Rows.Count > 0 && !cancellationToken.IsCancellationRequested
                && session.IsOfRow(e))
            {
                most = Math.Max(1, batch.Rows.Count / 2);
                if (batch.Rows.Count > 1)
                {
                    continue;
                }

                batch.Blame(e);
            }

            patience -= batch.Faults.Count;
            var isPassedOver = batch.Faults.TrueForAll(fault => parts.Aside.Leave(work.Name, fault));
            if (batch.IsWhole || left <= 0 || patience <= 0 || !isPassedOver || (most == limit
                && batch.Faults.Count == 0))
            {
                return moves;
            }

            most = (int)Math.Min(2L * most, left);
        }
    }

    /// <summary>The rows of one transaction, and what became of them in its last try.</summary>
    private sealed class MoveBatch(MoveWork work, int most)
    {
        /// <summary>The rows that the transaction holds and moves.</summary>
        public List<TaskRow> Rows { get; private set; } = [];

        /// <summary>How many rows were loaded, with those that were not free.</summary>
        public int Found { get; private set; }

        /// <summary>The rows that cannot be read or moved.</summary>
        public List<RowFault> Faults { get; private set; } = [];

        /// <summary>Nothing is left that the transaction could have moved.</summary>
        public bool IsWhole { get; private set; }

        public async ValueTask<IReadOnlyList<TaskMove>> MoveAsync(SqlStep step)
        {
            var loaded = await work.LoadAsync(step, most).ConfigureAwait(false);
            (Rows, Found) = (await WithoutHeldAsync(step, loaded).ConfigureAwait(false), loaded.Count);
            var moved = await MoveRowsAsync(step).ConfigureAwait(false);
            Faults = [.. step.Unreadable];
            IsWhole = Faults.Count == 0 && Found < most;
            await work.EndAsync(step, IsWhole).ConfigureAwait(false);
            return moved;
        }

        /// <summary>The transaction failed because of its only row.</summary>
        public void Blame(Exception e) => (IsWhole, Faults) = (false, [new RowFault(Rows[0].TaskNo, Rows[0].Id, e)]);

        /// <summary>
        /// The rows are held by this step; the tasks that they start may be held by another transaction.
        /// </summary>
        private static async ValueTask<List<TaskRow>> WithoutHeldAsync(SqlStep step, List<TaskRow> rows)
        {
            if (!step.PassesOver)
            {
                return rows;
            }

            var free = await step.HoldFreeAsync(rows.Select(row => row.Id)).ConfigureAwait(false);
            return rows.FindAll(row => free.Contains(row.Id));
        }

        private async ValueTask<IReadOnlyList<TaskMove>> MoveRowsAsync(SqlStep step)
        {
            var moves = new List<TaskMove>();
            var now = await step.NowAsync().ConfigureAwait(false);
            foreach (var row in Rows)
            {
                var from = row.State.State;
                if (await step.ApplyEventAsync(row, work.EventOf(row)).ConfigureAwait(false))
                {
                    moves.Add(TaskMove.Of(row.Id, row.Head.AppName!, from, row.State));
                }
                else
                {
                    // Such as a cron expression without another occurrence: nothing to do until something else happens
                    // to it.
                    row.Drop(now);
                    step.MarkChanged(row);
                }
            }

            return moves;
        }
    }
}
