using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// One step of the store: one transaction. It reads and holds rows and lets the lifecycle decide. The changes are
/// collected here and written together before the commit. See docs/decisions/0005.
/// </summary>
/// <param name="parts">The store's parts.</param>
/// <param name="tries">The flags of the earlier tries.</param>
internal abstract class SqlStep(StoreParts parts, StepTry tries)
{
    private static readonly string[] _deletions =
        ["delete_tasks", "delete_states", "delete_results", "delete_failures", "delete_runs"];

    private readonly StepWrites _writes = new(parts.Rules.KeptRuns);
    private readonly List<(TaskRow Finished, string Next)> _chains = [];

    public SqlTexts Sql => parts.Sql;

    /// <summary>True if the step has changed announcements or pauses.</summary>
    public bool ChangesRoutes { get; private set; }

    /// <summary>True if the step was tried before and may have been committed then.</summary>
    public bool IsRepeated => tries.HasFlag(StepTry.MayHaveHappened);

    /// <summary>True if the step skips rows that another transaction holds, instead of waiting for them.</summary>
    public bool PassesOver => tries.HasFlag(StepTry.PassesOverHeld);

    /// <summary>The hints to publish when the step is committed.</summary>
    public StoreHint Hints { get; private set; }

    /// <summary>Next tasks that could not be started; logged when the step is committed.</summary>
    public List<(string Finished, string Next, ChainResult Result)> LostChains { get; } = [];

    /// <summary>
    /// Rows that were found but cannot be read by this version; they are left out of the loaded rows.
    /// </summary>
    public List<RowFault> Unreadable { get; } = [];

    /// <summary>The store's time, one for the whole step.</summary>
    public abstract ValueTask<DateTimeOffset> NowAsync();

    public abstract ValueTask<List<T>> QueryAsync<T>(
        string statement, Func<DbDataReader, T> read, params Argument[] arguments);

    public abstract ValueTask<int> ExecuteAsync(string statement, params Argument[] arguments);

    /// <summary>Runs a statement for each row.</summary>
    public abstract ValueTask ExecuteEachAsync<T>(
        string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns);

    /// <summary>Reads rows of tasks and holds them: no other transaction changes them until the step ends.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="need">The tasks whose definition is read as well.</param>
    /// <param name="arguments">The statement's other arguments.</param>
    public ValueTask<List<TaskRow>> LoadAsync(string statement, DefinitionNeed need, params Argument[] arguments) =>
        LoadAsync(statement, [.. arguments, Argument.Integer("whole", need.Traits)]);

    /// <inheritdoc cref="LoadAsync(string, DefinitionNeed, Argument[])"/>
    protected abstract ValueTask<List<TaskRow>> LoadAsync(string statement, Argument[] arguments);

    /// <summary>
    /// Stores definitions whose ids are unknown, and answers them with their numbers. Definitions whose ids are known
    /// are left out of the answer. Holds are decided after the first write: a read before it would begin a transaction
    /// of the caller's that can no longer write once another connection has written.
    /// </summary>
    public abstract ValueTask<IReadOnlyCollection<TaskRow>> InsertAsync(IReadOnlyList<TaskRow> rows);

    public void Hint(StoreHintKinds kinds, TaskRow row) => Hint(kinds, row.Head.AppName, row.Id);

    public void Hint(StoreHintKinds kinds, string? app, string taskId) => Hints = Hints.With(kinds, app, taskId);

    /// <summary>Reads and holds a task; null if the scope contains no such task.</summary>
    /// <exception cref="System.Text.Json.JsonException">
    /// The task exists, but this version cannot read its row.
    /// </exception>
    public async ValueTask<TaskRow?> FindAsync(string id, TaskScope? scope, DefinitionNeed need)
    {
        var rows = await LoadAsync("load_by_ids", need, Argument.Texts("ids", [id])).ConfigureAwait(false);
        return rows.Count > 0
            ? rows[0].IsIn(scope) ? rows[0]
            : null : Unreadable.Find(fault => fault.TaskId == id) is { } fault ? throw fault.ToException() : null;
    }

    /// <summary>
    /// Finds the rows that an earlier try of the creation or import with this mark stored before its answer was lost.
    /// </summary>
    public async ValueTask<HashSet<long>> FindMarkedAsync(IEnumerable<TaskRow> rows, Guid mark)
    {
        if (!IsRepeated)
        {
            return [];
        }

        var tasks = Argument.Longs("tasks", rows.Select(row => row.TaskNo));
        var marked = await QueryAsync(
            "find_creation", row => row.GetInt64(0), tasks, Argument.Uuid("creation", mark)).ConfigureAwait(false);
        return [.. marked];
    }

    /// <summary>Deletes tasks with all of their rows.</summary>
    public async ValueTask DeleteAsync(List<long> tasks)
    {
        foreach (var statement in tasks.Count == 0 ? [] : _deletions)
        {
            await ExecuteAsync(statement, Argument.Longs("tasks", tasks)).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Holds those of these tasks that no other transaction holds, and the tasks that they start, without waiting.
    /// </summary>
    /// <returns>The ids of the tasks about which this step can decide without waiting.</returns>
    public async ValueTask<HashSet<string>> HoldFreeAsync(IEnumerable<string> ids)
    {
        var free = await HoldAsync(ids).ConfigureAwait(false);
        var known = free.Select(task => task.Id).ToHashSet(StringComparer.Ordinal);
        var next = free.Select(task => task.Next).OfType<string>()
            .Where(id => !known.Contains(id)).ToHashSet(StringComparer.Ordinal);
        if (next.Count > 0)
        {
            // A next task that does not exist cannot be held by another transaction.
            next.ExceptWith((await HoldAsync(next).ConfigureAwait(false)).Select(task => task.Id));
            next.IntersectWith(
                await QueryAsync(
                    "find_states", row => row.GetString(0), Argument.Texts("ids", next)).ConfigureAwait(false));
            known.ExceptWith(
                free.Where(task => task.Next is not null && next.Contains(task.Next)).Select(task => task.Id));
        }

        return known;

        ValueTask<List<(string Id, string? Next)>> HoldAsync(IEnumerable<string> ids) =>
            QueryAsync(
                "hold_free", row => (row.GetString(0), row.TextOrNull(1)), Argument.Texts("ids", ids.Distinct()));
    }

    /// <summary>
    /// Applies an event to a row as the lifecycle decides, with all consequences; false if the event changes nothing.
    /// </summary>
    public async ValueTask<bool> ApplyEventAsync(TaskRow row, TaskEvent happened)
    {
        var now = await NowAsync().ConfigureAwait(false);
        var before = row.State;
        if (parts.Next(row.DefinitionFor(happened), before, happened, now, parts.Rules) is not { } transition)
        {
            return false;
        }

        _writes.Apply(row, transition);
        if (transition.Notify)
        {
            _writes.Notify(new NotificationRow(row, row.State, row.ResultRunNo, row.State.ResultPass, now));
            Hint(StoreHintKinds.Notified, row);
        }

        Hint(StoreHint.KindsOf(row.Head, before, row.State, happened), row);
        if (transition.StartNext is { } chained)
        {
            _chains.Add((row, chained));
        }

        return true;
    }

    /// <summary>
    /// Finds the holds of queued tasks by app and method, and whether a row names that app and method.
    /// </summary>
    public abstract ValueTask<Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)>> FindHoldsAsync(
        IReadOnlyCollection<(string App, string Method)> routes);

    /// <summary>Decides the holds of those rows that are queued.</summary>
    public virtual async ValueTask DecideHoldsAsync(IReadOnlyCollection<TaskRow> rows)
    {
        List<TaskRow>? queued = null;
        foreach (var row in rows)
        {
            if (row.Queue is not null)
            {
                (queued ??= []).Add(row);
            }
        }

        if (queued is null)
        {
            return;
        }

        var holds = await FindHoldsAsync([.. queued.Select(row => row.Queue!.Value).Distinct()]).ConfigureAwait(false);
        foreach (var row in queued)
        {
            row.TakeHold(holds[row.Queue!.Value].Hold);
        }
    }

    /// <summary>Notes that the step has changed announcements or pauses.</summary>
    public void MarkRoutesChanged()
    {
        ChangesRoutes = true;
        parts.Routes.Forget();
    }

    public void MarkChanged(TaskRow row) => _writes.MarkChanged(row);

    /// <summary>Notes a row with a new definition and a new state.</summary>
    public void MarkDefined(TaskRow row)
    {
        _writes.MarkDefined(row);
        var queued = row.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.None;
        Hint(StoreHintKinds.Duty | queued, row);
    }

    /// <summary>Adds results that are stored with their row and already counted in it.</summary>
    public void AddResults(TaskRow row, IEnumerable<StageEntry> entries) =>
        _writes.AddResults(entries.Select(entry => new EntryRow(row.TaskNo, row.ResultRunNo, entry)));

    /// <summary>Adds a result whose task was changed by a statement.</summary>
    public void AddResult(EntryRow result) => _writes.AddResults([result]);

    /// <summary>
    /// Reads a task's row; null, with a note in <see cref="Unreadable"/>, if this version cannot read it.
    /// </summary>
    protected TaskRow? ReadTask(DbDataReader row)
    {
        try
        {
            return TaskRow.Read(row, parts.Rules);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            Unreadable.Add(RowFault.Of(row, e));
            return null;
        }
    }

    /// <summary>Starts next tasks and writes everything that the step has changed.</summary>
    public async ValueTask FlushAsync()
    {
        await StartChainedAsync().ConfigureAwait(false);
        await DecideHoldsAsync(_writes.Changed).ConfigureAwait(false);
        await _writes.WriteAsync(this).ConfigureAwait(false);
    }

    /// <summary>
    /// Starts the next tasks of the step's tasks, in the order of their ids, so that two steps never deadlock.
    /// </summary>
    private async ValueTask StartChainedAsync()
    {
        while (_chains.Count > 0)
        {
            var chains = _chains.OrderBy(chain => chain.Next, StringComparer.Ordinal).ToList();
            _chains.Clear();
            var held = _writes.Changed.ToDictionary(row => row.Id, StringComparer.Ordinal);
            var need = DefinitionNeed.Of(new TaskEvent.Chained(""));
            var others = chains.Select(chain => chain.Next).Distinct()
                .Where(id => !held.TryGetValue(id, out var row) || !row.Has(need)).ToList();
            foreach (var row in others.Count == 0
                ? []
                : await LoadAsync("load_by_ids", need, Argument.Texts("ids", others)).ConfigureAwait(false))
            {
                // Keep the row that this step has already changed: it was loaded for another event, which may have
                // needed less of it.
                if (!held.TryAdd(row.Id, row))
                {
                    held[row.Id].TakeDefinitionOf(row);
                }
            }

            // An unreadable task is not a missing one: a version that can read it starts it.
            if (Unreadable.Find(fault => others.Contains(fault.TaskId)) is { } unreadable)
            {
                throw unreadable.ToException();
            }

            foreach (var (finished, id) in chains)
            {
                await StartNextAsync(finished, id, held.GetValueOrDefault(id)).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask StartNextAsync(TaskRow finished, string id, TaskRow? target)
    {
        // Noted first: a task that starts itself moves to its next run, and the note belongs to the run before.
        var result = TaskLifecycle.JudgeChain(target?.Head, target?.State);
        finished.State = finished.State with { Chain = result };
        _writes.MarkChanged(finished);
        if (target is not null)
        {
            await ApplyEventAsync(target, new TaskEvent.Chained(parts.NewJobId())).ConfigureAwait(false);
        }

        if (result != ChainResult.Started)
        {
            LostChains.Add((finished.Id, id, result));
        }
    }
}
