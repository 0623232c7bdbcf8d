using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>A kind of work that moves many tasks by the same event.</summary>
/// <param name="name">The work's name, for tasks that are set aside and for the log.</param>
internal abstract class MoveWork(string name)
{
    public string Name => name;

    /// <summary>Loads the first rows in a fixed order, without those that are set aside.</summary>
    /// <param name="step">The step.</param>
    /// <param name="most">The most rows.</param>
    public abstract ValueTask<List<TaskRow>> LoadAsync(SqlStep step, int most);

    /// <summary>The event to apply to a row.</summary>
    public abstract TaskEvent EventOf(TaskRow row);

    /// <summary>Completes a transaction after its rows were moved.</summary>
    /// <param name="step">The step.</param>
    /// <param name="isWhole">True if the transaction moved every row that was loaded.</param>
    public virtual ValueTask EndAsync(SqlStep step, bool isWhole) => default;
}

/// <summary>
/// Moves many tasks together, so that one failing row does not block the others. See docs/decisions/0010.
/// </summary>
internal sealed class RowMoves(SqlSession session, StoreParts parts)
{
    /// <summary>
    /// Moves the loaded rows in one transaction. Rows that this process cannot read are set aside, and the rest is
    /// moved. If a row that cannot be decided or written fails the transaction, smaller transactions follow. In the end
    /// that row is alone in its transaction, and is set aside too.
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

    /// <summary>The rows of one transaction, and the outcome of its last try.</summary>
    private sealed class MoveBatch(MoveWork work, int most)
    {
        /// <summary>The rows that the transaction holds and moves.</summary>
        public List<TaskRow> Rows { get; private set; } = [];

        /// <summary>The number of loaded rows, including rows that another transaction holds.</summary>
        public int Found { get; private set; }

        /// <summary>The rows that cannot be read or moved.</summary>
        public List<RowFault> Faults { get; private set; } = [];

        /// <summary>True if the transaction moved every row that it could have moved.</summary>
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

        /// <summary>Records that the transaction failed because of its only row.</summary>
        public void Blame(Exception e) => (IsWhole, Faults) = (false, [new RowFault(Rows[0].TaskNo, Rows[0].Id, e)]);

        /// <summary>
        /// Leaves out rows whose next tasks are held by another transaction. The rows themselves are held by this step.
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
                    // For example a cron expression without another occurrence. The duty is dropped until another event
                    // changes the task.
                    row.Drop(now);
                    step.MarkChanged(row);
                }
            }

            return moves;
        }
    }
}
