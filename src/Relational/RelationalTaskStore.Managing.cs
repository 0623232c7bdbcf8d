using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>What managers ask: each verb reads and holds what is due, and moves it. What another manager holds is left to it.</content>
internal abstract partial class RelationalTaskStore
{
    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(int limit, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<TaskMove>>(
        async step =>
        {
            var alive = Ticks.Of(await step.NowAsync().ConfigureAwait(false) - rules.ExecutorLifetime);
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
        true,
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
            var (now, due, ping) = (await step.QueryAsync("next_duty", row => (row.Time(0), row.TimeOrNull(1), row.TimeOrNull(2))).ConfigureAwait(false))[0];
            var death = ping + rules.ExecutorLifetime + TimeSpan.FromTicks(1);
            var next = due is null || death < due ? death : due;
            return next is { } at ? at > now ? at - now : TimeSpan.Zero : null;
        },
        cancellationToken);

    private ValueTask<IReadOnlyList<TaskMove>> CarryAsync(
        string statement, TaskDuty? duty, Func<TaskRow, TaskEvent> happened, int limit, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<TaskMove>>(
        async step =>
        {
            var now = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
            var due = await step.LoadAsync(statement, Argument.Integer("duty", (int?)duty), Argument.Long("now", now), Argument.Integer("most", limit)).ConfigureAwait(false);
            return await MoveAsync(step, due, happened).ConfigureAwait(false);
        },
        true,
        cancellationToken);

    private static async ValueTask<IReadOnlyList<TaskMove>> MoveAsync(SqlStep step, List<TaskRow> rows, Func<TaskRow, TaskEvent> happened)
    {
        var moves = new List<TaskMove>();
        foreach (var row in rows)
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
