using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Relational;

/// <summary>Moves the tasks that are due for one of the manager's duties.</summary>
/// <param name="parts">The store's parts.</param>
/// <param name="duty">The duty; null for overdue runs.</param>
/// <param name="example">An event of the kind; it determines which definitions are read.</param>
/// <param name="eventOf">The function that gives a row's event.</param>
internal sealed class DueWork(StoreParts parts, TaskDuty? duty, TaskEvent example, Func<TaskRow, TaskEvent> eventOf)
    : MoveWork(duty?.ToString() ?? Overdue)
{
    public const string Overdue = "AbortOverdue";

    public override async ValueTask<List<TaskRow>> LoadAsync(SqlStep step, int most) => await step.LoadAsync(
        duty is null ? "load_overdue" : "load_due",
        DefinitionNeed.Of(example),
        Argument.Integer("duty", (int?)duty),
        Argument.Long("now", Ticks.Of(await step.NowAsync().ConfigureAwait(false))),
        Argument.Integer("most", most),
        Argument.Long("most_bytes", Pieces.MostBytes),
        parts.Aside.Except(Name)).ConfigureAwait(false);

    public override TaskEvent EventOf(TaskRow row) => eventOf(row);
}

/// <summary>Moves the tasks of dead executors. An executor is removed with its last task.</summary>
/// <param name="parts">The store's parts.</param>
/// <param name="asOf">The time at which an executor must have been dead; null for now.</param>
internal sealed class ExpelWork(StoreParts parts, DateTimeOffset? asOf) : MoveWork("expel")
{
    private static readonly TaskEvent _interrupted = new TaskEvent.Interrupted();

    private long _alive;
    private List<string> _dead = [];

    public override async ValueTask<List<TaskRow>> LoadAsync(SqlStep step, int most)
    {
        var now = asOf ?? await step.NowAsync().ConfigureAwait(false);
        _alive = Ticks.Of(now - parts.Rules.ExecutorLifetime);
        _dead = await step.QueryAsync(
            "dead_executors", row => row.GetString(0), Argument.Long("alive", _alive)).ConfigureAwait(false);
        return _dead.Count == 0
            ? []
            : await step.LoadAsync(
                "load_dead",
                DefinitionNeed.Of(_interrupted),
                Argument.Texts("executors", _dead),
                Argument.Integer("most", most),
                parts.Aside.Except(Name)).ConfigureAwait(false);
    }

    public override TaskEvent EventOf(TaskRow row) => _interrupted;

    public override async ValueTask EndAsync(SqlStep step, bool isWhole)
    {
        if (_dead.Count == 0)
        {
            return;
        }

        // Its last task is moved in the same transaction. An executor that pinged in the meantime is not dead.
        await step.FlushAsync().ConfigureAwait(false);
        await step.ExecuteAsync(
            "forget_executors",
            Argument.Texts("executors", _dead),
            Argument.Long("alive", _alive)).ConfigureAwait(false);
        await RoutingRows.ForgetAsync(step).ConfigureAwait(false);
    }
}

/// <summary>Gives back some of the tasks that an executor holds.</summary>
/// <param name="parts">The store's parts.</param>
/// <param name="executorId">The executor.</param>
/// <param name="isGivenBack">The condition for a task to be given back.</param>
internal class GiveBackWork(StoreParts parts, string executorId, Predicate<TaskRow> isGivenBack) : MoveWork("give back")
{
    private static readonly TaskEvent _givenBack = new TaskEvent.GivenBack();

    public override async ValueTask<List<TaskRow>> LoadAsync(SqlStep step, int most)
    {
        var held = await step.LoadAsync(
            "load_held",
            DefinitionNeed.Of(_givenBack),
            Argument.Texts("executors", [executorId]),
            Argument.Integer("most", most),
            parts.Aside.Except(Name)).ConfigureAwait(false);
        return held.FindAll(isGivenBack);
    }

    public override TaskEvent EventOf(TaskRow row) => _givenBack;
}

/// <summary>Gives back all tasks that an executor holds, and removes the executor.</summary>
internal sealed class SuspendWork(StoreParts parts, string executorId) : GiveBackWork(parts, executorId, _ => true)
{
    private readonly string _executorId = executorId;

    public override async ValueTask EndAsync(SqlStep step, bool isWhole)
    {
        // After its tasks: an executor that still holds one stays known, so that it is found dead.
        if (isWhole)
        {
            await step.FlushAsync().ConfigureAwait(false);
            await step.ExecuteAsync("delete_executor", Argument.Text("executor", _executorId)).ConfigureAwait(false);
            await RoutingRows.ForgetAsync(step).ConfigureAwait(false);
        }
    }
}
