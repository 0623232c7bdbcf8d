using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <content>What managers ask: each verb reads and holds what is due, and moves it. What another manager holds is left to it.</content>
internal abstract partial class RelationalTaskStore
{
    private const string Overdue = "AbortOverdue";
    private static readonly string[] _duties = [Overdue, .. Enum.GetNames<TaskDuty>()];

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

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(DateTimeOffset? asOf, int limit, CancellationToken cancellationToken)
    {
        List<string> dead = [];
        long alive = 0;
        return MoveAsync(
            "expel",
            async (step, most) =>
            {
                alive = Ticks.Of((asOf ?? await step.NowAsync().ConfigureAwait(false)) - rules.ExecutorLifetime);
                dead = await step.QueryAsync("dead_executors", row => row.GetString(0), Argument.Long("alive", alive)).ConfigureAwait(false);
                return dead.Count == 0
                    ? []
                    : await step.LoadAsync(
                        "load_dead", DefinitionNeed.Of(_interrupted), Argument.Texts("executors", dead), Argument.Integer("most", most), Except("expel")).ConfigureAwait(false);
            },
            _ => _interrupted,
            limit,
            async (step, _) =>
            {
                // Its last task is moved with it. An executor that has pinged in the meantime is not dead.
                if (dead.Count > 0)
                {
                    await step.FlushAsync().ConfigureAwait(false);
                    await step.ExecuteAsync("forget_executors", Argument.Texts("executors", dead), Argument.Long("alive", alive)).ConfigureAwait(false);
                }
            },
            cancellationToken);
    }

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        MoveDueAsync("load_overdue", null, new TaskEvent.CheckOverdue(), _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        MoveDueAsync("load_due", TaskDuty.RestartPeriodic, new TaskEvent.NextPeriod(""), _ => new TaskEvent.NextPeriod(NewJobId()), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        MoveDueAsync("load_due", TaskDuty.WakeWait, new TaskEvent.CheckWait(), _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        MoveDueAsync("load_due", TaskDuty.QueueDue, new TaskEvent.QueueDue(false), row => new TaskEvent.QueueDue(row.Results > 0), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        MoveDueAsync("load_due", TaskDuty.RequeueFailed, new TaskEvent.CheckRetry(), _ => new TaskEvent.CheckRetry(), limit, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) => ReadAsync<TimeSpan?>(
        async step =>
        {
            var (now, due, ping, watch) = (await step.QueryAsync(
                "next_duty", row => (row.Time(0), row.TimeOrNull(1), row.TimeOrNull(2), ReadWatch(row, 3)), Except(_duties)).ConfigureAwait(false))[0];
            var death = StoreWatch.FirstExpulsion(watch, ping, now, rules);
            var next = due is null || death < due ? death : due;
            return next is { } at ? at > now ? at - now : TimeSpan.Zero : null;
        },
        cancellationToken);

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) => ReadAsync(
        async step =>
        {
            var now = await step.NowAsync().ConfigureAwait(false);
            var before = Argument.Long("before", Ticks.Of(now - age));
            var (last, hasDuty) = (await step.QueryAsync(
                "unattended", row => (row.TimeOrNull(0), row.GetBoolean(1)), before).ConfigureAwait(false))[0];
            var apps = await step.QueryAsync(
                "unserved_apps", row => row.GetString(0), before, Argument.Integer("most", UnattendedWork.MostApps)).ConfigureAwait(false);
            return new UnattendedWork(now, last, hasDuty, apps);
        },
        cancellationToken);

    private static StoreWatch? ReadWatch(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : new StoreWatch(row.Time(column), row.Time(column + 1));

    private ValueTask<IReadOnlyList<TaskMove>> MoveDueAsync(
        string statement, TaskDuty? duty, TaskEvent example, Func<TaskRow, TaskEvent> happened, int limit, CancellationToken cancellationToken)
    {
        var work = duty?.ToString() ?? Overdue;
        return MoveAsync(
            work,
            async (step, most) =>
            {
                var now = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
                return await step.LoadAsync(
                    statement,
                    DefinitionNeed.Of(example),
                    Argument.Integer("duty", (int?)duty),
                    Argument.Long("now", now),
                    Argument.Integer("most", most),
                    Argument.Long("most_bytes", Pieces.MostBytes),
                    Except(work)).ConfigureAwait(false);
            },
            happened,
            limit,
            null,
            cancellationToken);
    }
}
