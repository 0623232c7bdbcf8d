using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Corrects the holds of queued tasks; see <see cref="IManagerDuties.RepairHoldsAsync"/>.</summary>
/// <param name="limit">The most tasks to change.</param>
internal sealed class HoldRepairStep(int limit)
{
    /// <summary>The most groups of held tasks that one step looks at.</summary>
    private const int MostGroups = 10_000;

    /// <summary>
    /// The most tasks of the common queue that one step looks at: looking is cheap, and rarely finds one.
    /// </summary>
    private const int MostLooked = 10_000;

    /// <summary>
    /// The longest common queue at which one step looks as a whole. After a change of announcements most queues have no
    /// task to hold, and a whole look shows that at a third of the cost.
    /// </summary>
    private const int MostAtOnce = 50_000;

    private static readonly Argument _looked = Argument.Integer("looked", MostLooked);

    private static readonly Column<(long TaskNo, TaskHold Hold)>[] _columns =
    [
        new("task_no", ColumnType.Long, task => task.TaskNo),
        new("hold", ColumnType.Integer, task => (int)task.Hold),
    ];

    public async ValueTask<HoldRepair> RunAsync(SqlStep step)
    {
        await RoutingRows.EndPausesAsync(step).ConfigureAwait(false);
        var (changed, unroutable) = await RepairHeldAsync(step).ConfigureAwait(false);
        var (found, hasMore) = changed < limit
            ? await RepairCommonAsync(step, limit - changed).ConfigureAwait(false)
            : (0, true);
        return new HoldRepair
        {
            Changed = changed + found,
            HasMore = hasMore || changed + found >= limit,
            Unroutable = unroutable,
        };
    }

    /// <summary>Corrects the groups of held tasks, each of one app and method.</summary>
    private async ValueTask<(int Changed, List<(string AppName, string Method)> Unroutable)> RepairHeldAsync(
        SqlStep step)
    {
        var groups = await step.QueryAsync(
            "held_groups",
            row => (Hold: (TaskHold)row.GetInt32(0), Route: (App: row.GetString(1), Method: row.GetString(2))),
            Argument.Integer("most", MostGroups)).ConfigureAwait(false);
        var decided = await step.FindHoldsAsync([.. groups.Select(group => group.Route).Distinct()])
            .ConfigureAwait(false);
        var (changed, unroutable) = (0, new List<(string AppName, string Method)>());
        foreach (var (hold, route) in groups)
        {
            var (now, isNamed) = decided[route];
            if (now != hold && changed < limit)
            {
                changed += await ReholdAsync(step, hold, route, now, limit - changed).ConfigureAwait(false);
            }

            if (now == TaskHold.UnknownCommand && !isNamed && unroutable.Count < HoldRepair.MostUnroutable)
            {
                unroutable.Add(route);
            }
        }

        return (changed, unroutable);
    }

    private static async ValueTask<int> ReholdAsync(
        SqlStep step, TaskHold from, (string App, string Method) route, TaskHold to, int most)
    {
        var changed = await step.ExecuteAsync(
            "rehold_group",
            Argument.Integer("hold", (int)from),
            Argument.Integer("to", (int)to),
            Argument.Text("app", route.App),
            Argument.Text("method", route.Method),
            Argument.Integer("most", most)).ConfigureAwait(false);
        if (changed > 0 && to != TaskHold.Paused)
        {
            step.Hint(StoreHintKinds.Queued, route.App, "");
        }

        return changed;
    }

    /// <summary>Looks at the next tasks of the common queue, unless another transaction does.</summary>
    private static async ValueTask<(int Changed, bool HasMore)> RepairCommonAsync(SqlStep step, int most)
    {
        var places = await step.QueryAsync(
            "routing", row => (Place: QueuePlace.Read(row), IsAnyHeld: row.GetBoolean(5))).ConfigureAwait(false);
        if (places is not [var (place, isAnyHeld)])
        {
            return (0, false);
        }

        var start = QueuePlace.Start(isChanged: false);
        if (place == QueuePlace.Start(isChanged: true)
            && (!isAnyHeld || await IsDecidedAsync(step).ConfigureAwait(false)))
        {
            await start.StoreAsync(step).ConfigureAwait(false);
            return (0, false);
        }

        var routes = isAnyHeld
            ? await RoutesAsync(step, "common_routes", [.. place.Arguments(), _looked]).ConfigureAwait(false)
            : [];
        var decided = await DecideAsync(step, routes).ConfigureAwait(false);
        var held = decided.Values.Any(hold => hold.Hold != TaskHold.None)
            ? await FindHeldAsync(step, place, decided).ConfigureAwait(false)
            : [];
        var last = routes.Sum(route => route.Count) == MostLooked
            ? await QueueAsync(step, place, 1, MostLooked - 1).ConfigureAwait(false)
            : [];
        var reached = held.Count > most ? held[most - 1].Place
            : last.Count > 0 ? last[0].Place
            : start;
        var changed = held.Take(most).Select(task => (task.Place.TaskNo, task.Hold)).OrderBy(task => task.TaskNo)
            .ToList();
        if (changed.Count > 0)
        {
            await step.ExecuteEachAsync("hold_tasks", changed, _columns).ConfigureAwait(false);
        }

        if (reached != place)
        {
            await reached.StoreAsync(step).ConfigureAwait(false);
        }

        return (changed.Count, reached.IsChanged);
    }

    /// <summary>True if the whole common queue was looked at, and no task of it is to be held.</summary>
    private static async ValueTask<bool> IsDecidedAsync(SqlStep step)
    {
        var routes = await RoutesAsync(step, "all_routes", [Argument.Integer("looked", MostAtOnce)])
            .ConfigureAwait(false);
        return routes.Sum(route => route.Count) < MostAtOnce
            && (await DecideAsync(step, routes).ConfigureAwait(false)).Values.All(hold => hold.Hold == TaskHold.None);
    }

    private static ValueTask<List<(string App, string? Method, int Count)>> RoutesAsync(
        SqlStep step, string statement, Argument[] arguments) => step.QueryAsync(
        statement, row => (row.GetString(0), row.TextOrNull(1), row.GetInt32(2)), arguments);

    private static ValueTask<Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)>> DecideAsync(
        SqlStep step, List<(string App, string? Method, int Count)> routes) => step.FindHoldsAsync(
        [.. routes.Where(route => route.Method is not null).Select(route => (route.App, route.Method!))]);

    /// <summary>
    /// The tasks of the common queue that are to be held, in the order of the queue. A method that came into the queue
    /// since was decided then.
    /// </summary>
    private static async ValueTask<List<(QueuePlace Place, TaskHold Hold)>> FindHeldAsync(
        SqlStep step,
        QueuePlace place,
        Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)> decided) =>
        [.. (await QueueAsync(step, place, MostLooked, 0).ConfigureAwait(false))
            .Where(task => task.Method is not null)
            .Select(task => (task.Place, decided.GetValueOrDefault((task.Place.App, task.Method!)).Hold))
            .Where(task => task.Hold != TaskHold.None)];

    /// <summary>Reads some of the tasks of the common queue that a step looks at.</summary>
    private static ValueTask<List<(QueuePlace Place, string? Method)>> QueueAsync(
        SqlStep step, QueuePlace place, int most, int skipped) => step.QueryAsync(
        "common_queue",
        row => (
            new QueuePlace(place.IsChanged, row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)),
            row.TextOrNull(4)),
        [
            .. place.Arguments(), _looked, Argument.Integer("most", most), Argument.Integer("skipped", skipped),
        ]);
}
