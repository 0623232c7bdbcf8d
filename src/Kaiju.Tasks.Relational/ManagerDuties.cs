using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The store's members for managers. Each duty reads and holds the due rows and moves them; rows that another manager
/// holds are left to it.
/// </summary>
internal sealed class ManagerDuties(SqlSession session, StoreParts parts, RowMoves moves)
{
    private static readonly string[] _duties = [DueWork.Overdue, .. Enum.GetNames<TaskDuty>()];

    public async ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken)
    {
        var (now, seen, firstPing) = await session.ReadAsync(
            async step => (await step.QueryAsync(
                "watch", row => (row.Time(0), ReadWatch(row, 1), row.TimeOrNull(3))).ConfigureAwait(false))[0],
            cancellationToken).ConfigureAwait(false);
        var watch = StoreWatch.Next(seen, now, parts.Rules);
        if (watch.Last != seen?.Last || watch.Since != seen?.Since)
        {
            // A row that has changed or is held is being written by another manager. Its answer is not needed: this
            // decision holds as of the time at which the row was read.
            await session.ExecuteAsync(
                seen is null ? "begin_watch" : "keep_watch",
                [
                    Argument.Long("last_seen", Ticks.Of(watch.Last)),
                    Argument.Long("since", Ticks.Of(watch.Since)),
                    Argument.Long("before_last_seen", Ticks.Of(seen?.Last)),
                    Argument.Long("before_since", Ticks.Of(seen?.Since)),
                ],
                cancellationToken).ConfigureAwait(false);
        }

        return new WatchAnswer(now, watch.Since, firstPing);
    }

    public ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) =>
        moves.MoveAsync(new ExpelWork(parts, asOf), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(null, new TaskEvent.CheckOverdue(), _ => new TaskEvent.CheckOverdue(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.RestartPeriodic,
            new TaskEvent.NextPeriod(""),
            _ => new TaskEvent.NextPeriod(parts.NewJobId()),
            limit,
            cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.WakeWait, new TaskEvent.CheckWait(), _ => new TaskEvent.CheckWait(), limit, cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.QueueDue,
            new TaskEvent.QueueDue(false),
            row => new TaskEvent.QueueDue(row.Results > 0, row.Waiting),
            limit,
            cancellationToken);

    public ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken) =>
        RunDutyAsync(
            TaskDuty.RequeueFailed,
            new TaskEvent.CheckRetry(),
            _ => new TaskEvent.CheckRetry(),
            limit,
            cancellationToken);

    public ValueTask<HoldRepair> RepairHoldsAsync(int limit, CancellationToken cancellationToken) =>
        session.WriteAsync(new HoldRepairStep(limit).RunAsync, cancellationToken);

    public ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
        session.ReadAsync<TimeSpan?>(
        async step =>
        {
            var (now, due, ping, watch) = (await step.QueryAsync(
                "next_duty",
                row => (row.Time(0), row.TimeOrNull(1), row.TimeOrNull(2), ReadWatch(row, 3)),
                parts.Aside.Except(_duties)).ConfigureAwait(false))[0];
            var death = StoreWatch.FirstExpulsion(watch, ping, now, parts.Rules);
            var next = due is null || death < due ? death : due;
            return next is { } at ? at > now ? at - now : TimeSpan.Zero : null;
        },
        cancellationToken);

    public ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        session.ReadAsync(
        async step =>
        {
            var now = await step.NowAsync().ConfigureAwait(false);
            var before = Argument.Long("before", Ticks.Of(now - age));
            var (last, hasDuty) = (await step.QueryAsync(
                "unattended", row => (row.TimeOrNull(0), row.GetBoolean(1)), before).ConfigureAwait(false))[0];
            var most = Argument.Integer("most", UnattendedWork.MostApps);
            var apps = await step.QueryAsync(
                "unserved_apps", row => row.GetString(0), before, most).ConfigureAwait(false);
            return new UnattendedWork { Now = now, LastWatch = last, HasDuty = hasDuty, Apps = apps };
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<string>> DeleteEndedAsync(
        TaskState state, TimeSpan age, int limit, CancellationToken cancellationToken) =>
        session.WriteAsync(new CleanUpStep(state, age, limit).RunAsync, cancellationToken);

    private static StoreWatch? ReadWatch(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : new StoreWatch(row.Time(column), row.Time(column + 1));

    private ValueTask<IReadOnlyList<TaskMove>> RunDutyAsync(
        TaskDuty? duty,
        TaskEvent example,
        Func<TaskRow, TaskEvent> eventOf,
        int limit,
        CancellationToken cancellationToken) =>
        moves.MoveAsync(new DueWork(parts, duty, example, eventOf), limit, cancellationToken);
}
