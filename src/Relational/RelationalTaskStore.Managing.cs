using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>What managers ask: each verb reads and holds what is due, and moves it. What another manager holds is left to it.</content>
internal abstract partial class RelationalTaskStore
{
    public async ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken)
    {
        var (now, seen, firstPing) = await ReadAsync(
            async step => (await step.QueryAsync("watch", row => (row.Time(0), ReadWatch(row, 1), row.TimeOrNull(3))).ConfigureAwait(false))[0],
            cancellationToken).ConfigureAwait(false);
        var watch = StoreWatch.Next(seen, now, rules);
        if (watch != seen)
        {
            // A row that is not as it was seen, or that someone holds, is being written by another manager. Its answer is not needed: what
            // was decided here holds as of the time at which it was read.
            await ExecuteAsync(
                seen is null ? "begin_watch" : "keep_watch",
                [
                    Argument.Long("last_seen", Ticks.Of(watch.Last)), Argument.Long("since", Ticks.Of(watch.Since)),
                    Argument.Long("before_last_seen", Ticks.Of(seen?.Last)), Argument.Long("before_since", Ticks.Of(seen?.Since)),
                ],
                cancellationToken).ConfigureAwait(false);
        }

        return new WatchAnswer(now, watch.Since, firstPing);
    }

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<TaskMove>>(
        async step =>
        {
            var alive = Ticks.Of((asOf ?? await step.NowAsync().ConfigureAwait(false)) - rules.ExecutorLifetime);
            var dead = await step.QueryAsync("dead_executors", row => row.GetString(0), Argument.Long("alive", alive)).ConfigureAwait(false);
            if (dead.Count == 0)
            {
                return [];
            }

            var held = await step.LoadAsync("load_dead", Argument.Texts("executors", dead), Argument.Integer("most", limit)).ConfigureAwait(false);
            var moves = await MoveAsync(step, held, _ => new TaskEvent.Interrupted()).ConfigureAwait(false);
            await step.FlushAsync().ConfigureAwait(false);

            // Its last task is moved with it. An executor that has pinged in the meantime is not dead.
            await step.ExecuteAsync("forget_executors", Argument.Texts("executors", dead), Argument.Long("alive", alive)).ConfigureAwait(false);
            return moves;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        CarryAsync("load_overdue", null, _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        CarryAsync("load_due", TaskDuty.RestartPeriodic, _ => new TaskEvent.NextPeriod(NewJobId()), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        CarryAsync("load_due", TaskDuty.WakeWait, _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        CarryAsync("load_due", TaskDuty.QueueDue, row => new TaskEvent.QueueDue(row.Results > 0), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        CarryAsync("load_due", TaskDuty.RequeueFailed, _ => new TaskEvent.CheckRetry(), limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) => ReadAsync<TimeSpan?>(
        async step =>
        {
            var (now, due, ping, watch) = (await step.QueryAsync(
                "next_duty", row => (row.Time(0), row.TimeOrNull(1), row.TimeOrNull(2), ReadWatch(row, 3))).ConfigureAwait(false))[0];
            var death = StoreWatch.FirstExpulsion(watch, ping, now, rules);
            var next = due is null || death < due ? death : due;
            return next is { } at ? at > now ? at - now : TimeSpan.Zero : null;
        },
        cancellationToken);

    private static StoreWatch? ReadWatch(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : new StoreWatch(row.Time(column), row.Time(column + 1));

    private ValueTask<IReadOnlyList<TaskMove>> CarryAsync(
        string statement, TaskDuty? duty, Func<TaskRow, TaskEvent> happened, int limit, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<TaskMove>>(
        async step =>
        {
            var now = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
            var due = await step.LoadAsync(statement, Argument.Integer("duty", (int?)duty), Argument.Long("now", now), Argument.Integer("most", limit)).ConfigureAwait(false);
            return await MoveAsync(step, due, happened).ConfigureAwait(false);
        },
        cancellationToken);

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
        foreach (var row in await WithoutHeldAsync(step, rows).ConfigureAwait(false))
        {
            var from = row.State.State;
            if (await step.HappenAsync(row, happened(row)).ConfigureAwait(false))
            {
                moves.Add(new TaskMove(row.Id, row.Definition.AppName!, row.State.JobId, from, row.State.State));
            }
            else
            {
                // Such as a cron expression without another occurrence: nothing to do until something else happens to it.
                row.Drop(await step.NowAsync().ConfigureAwait(false));
                step.MarkChanged(row);
            }
        }

        return moves;
    }
}
