using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What the stores in databases have in common. A write is one transaction that reads and holds rows, lets the lifecycle decide,
/// and writes what it says; a read is one statement. How transactions are run and which statements carry them out is the adapter's.
/// </summary>
internal abstract partial class RelationalTaskStore(LifecycleRules rules, IdSource ids, ILogger logger, TimeProvider? clock = null) : ITaskStore, ITransactionalCreation
{
    protected LifecycleRules Rules => rules;

    protected IdSource Ids => ids;

    protected HintListeners Listeners { get; } = new(e => RelationalLog.ListenerFailed(logger, e));

    public ITransactionalCreation InCallersTransaction => this;

    public IDisposable Listen(Action<StoreHint> listener) => Listeners.Add(listener);

    /// <summary>Runs a step in a transaction of its own, again if the database asks for it.</summary>
    /// <param name="act">
    /// The step; it may run more than once, each time from the beginning. Where <see cref="SqlStep.IsRepeated"/> an earlier run may have been
    /// committed, and the step must know what it did then.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    protected abstract ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    /// <summary>Runs one statement that may be run twice, as a step of its own.</summary>
    /// <returns>How many rows it changed.</returns>
    protected virtual ValueTask<int> ExecuteAsync(string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        WriteAsync(step => step.ExecuteAsync(statement, arguments), cancellationToken);

    /// <summary>Runs a step that brings so many bytes, so that not too many of them come together.</summary>
    protected virtual ValueTask<T> WriteLargeAsync<T>(Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken) =>
        WriteAsync(act, cancellationToken);

    /// <summary>Asks something that changes nothing.</summary>
    protected abstract ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    protected string NewJobId() => ids.NewId().ToString();

    public virtual async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        var creation = ids.NewId();
        var answers = new List<CreateAnswer>(tasks.Count);
        foreach (var piece in tasks.Count == 0 ? [] : Pieces.Of(tasks, TaskRow.SizeOf))
        {
            var tried = new CreateAnswer[piece.Count];
            answers.AddRange(await WriteLargeAsync(
                step => CreateAllAsync(step, piece, onConflict, context, creation, tried), Pieces.SizeOf(piece, TaskRow.SizeOf), cancellationToken).ConfigureAwait(false));
        }

        return answers;
    }

    public abstract ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, System.Data.Common.DbTransaction transaction, CallContext context, CancellationToken cancellationToken);

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks.Select(task => task.Definition));
        // One claim for all tries, so that a try whose answer was lost is answered by the next one.
        var (creation, claims) = (ids.NewId(), tasks.Select(_ => ids.NewId()).ToList());
        return WriteAsync(step => ImportAllAsync(step, tasks, executors, creation, claims), cancellationToken);
    }

    public ValueTask<UpdateAnswer> UpdateAsync(TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared([definition]);
        var tried = new TriedUpdate();
        return WriteAsync(step => UpdateAsync(step, definition, revision, context, tried), cancellationToken);
    }

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        HappenAsync(taskId, context, new TaskEvent.Reset(NewJobId()), cancellationToken);

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        HappenAsync(taskId, context, new TaskEvent.Cancelled(), cancellationToken);

    public ValueTask<bool> SendMessageAsync(string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        HappenAsync(taskId, context, new TaskEvent.MessageSent(data), cancellationToken);

    protected static void ThrowIfNotPrepared(IEnumerable<TaskDefinition> tasks)
    {
        // All of them before any: what throws here leaves nothing half done.
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task);
        }
    }

    /// <summary>
    /// Creates tasks. Each creation leaves its own mark with what it created, so that one that is repeated after a lost answer knows its
    /// own tasks from those that were there before.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="tasks">The definitions.</param>
    /// <param name="onConflict">What to do on a known id.</param>
    /// <param name="context">Who asks.</param>
    /// <param name="creation">The mark.</param>
    /// <param name="tried">The answers of the last try, if there was one; those of this one are put there. Null for a creation that is not repeated.</param>
    protected async ValueTask<IReadOnlyList<CreateAnswer>> CreateAllAsync(
        SqlStep step, IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CallContext context, Guid creation, CreateAnswer[]? tried = null)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        var answers = new CreateAnswer[tasks.Count];
        foreach (var (wave, places) in CreationRules.Waves(tasks).Index())
        {
            var rows = places.ToDictionary(place => NewRow(tasks[place], creation, now));
            foreach (var row in await step.InsertAsync([.. rows.Keys]).ConfigureAwait(false))
            {
                answers[rows[row]] = Created(step, row, CreateResult.Created);
                rows.Remove(row);
            }

            // What bears the mark when the first wave comes was left by an earlier try, and later by this one.
            await MeetAsync(step, rows, onConflict, context, wave == 0 ? creation : null, tried, answers).ConfigureAwait(false);
        }

        if (tried is not null)
        {
            answers.CopyTo(tried, 0);
        }

        return answers;
    }

    private static CreateAnswer Created(SqlStep step, TaskRow row, CreateResult result)
    {
        step.Hint(KindsOfNew(row), row);
        return new CreateAnswer(row.Id, result, row.State.State);
    }

    /// <summary>What a new task has to tell.</summary>
    protected static StoreHintKinds KindsOfNew(TaskRow row) => CreationRules.HintsOf(row.State);

    /// <summary>Answers those whose ids are known, and puts them in the place of the others where that is asked for and can be.</summary>
    private static async ValueTask MeetAsync(
        SqlStep step, Dictionary<TaskRow, int> rows, OnConflict onConflict, CallContext context, Guid? creation, CreateAnswer[]? tried, CreateAnswer[] answers)
    {
        while (rows.Count > 0)
        {
            var known = (await step.LoadAsync("find_by_ids", DefinitionNeed.None, Argument.Texts("ids", rows.Keys.Select(row => row.Id))).ConfigureAwait(false))
                .ToDictionary(row => row.Id, StringComparer.Ordinal);
            var own = await OwnAsync(step, known.Values, creation).ConfigureAwait(false);
            if (onConflict == OnConflict.Replace)
            {
                await HoldReplacedAsync(step, known, own).ConfigureAwait(false);
            }

            var replaced = new List<TaskRow>();
            foreach (var (row, place) in rows.Where(item => known.ContainsKey(item.Key.Id)).ToList())
            {
                var other = known[row.Id];
                var result = own.Contains(other.TaskNo)
                    ? tried?[place].Result ?? CreateResult.Created
                    : CreationRules.Decide(onConflict, other.State, isInScope: other.IsIn(context.Scope));
                var isReplaced = result == CreateResult.Replaced && !own.Contains(other.TaskNo);
                answers[place] = new CreateAnswer(row.Id, result, isReplaced ? row.State.State : other.State.State);
                if (isReplaced)
                {
                    replaced.Add(other);
                }
                else
                {
                    // The hint of its own creation may have been lost with the answer.
                    step.Hint(own.Contains(other.TaskNo) ? KindsOfNew(other) : StoreHintKinds.None, other);
                    rows.Remove(row);
                }
            }

            await DeleteAsync(step, replaced.ConvertAll(row => row.TaskNo)).ConfigureAwait(false);
            foreach (var row in await step.InsertAsync([.. rows.Keys]).ConfigureAwait(false))
            {
                var result = replaced.Exists(other => other.Id == row.Id) ? CreateResult.Replaced : CreateResult.Created;
                answers[rows[row]] = Created(step, row, result);
                rows.Remove(row);
                step.Hint(result == CreateResult.Replaced ? StoreHintKinds.Ended : StoreHintKinds.None, row);
            }
        }
    }

    /// <summary>Only what may be replaced is held, and looked at again: a creation that changes nothing is in nobody's way.</summary>
    private static async ValueTask HoldReplacedAsync(SqlStep step, Dictionary<string, TaskRow> known, HashSet<long> own)
    {
        var resting = known.Values.Where(row => TaskLifecycle.IsAtRest(row.State) && !own.Contains(row.TaskNo)).Select(row => row.Id).ToList();
        resting.ForEach(id => known.Remove(id));
        foreach (var row in resting.Count == 0 ? [] : await step.LoadAsync("load_by_ids", DefinitionNeed.None, Argument.Texts("ids", resting)).ConfigureAwait(false))
        {
            known.Add(row.Id, row);
        }
    }

    /// <summary>Those that this same creation has stored, in a try whose answer was lost.</summary>
    private static async ValueTask<HashSet<long>> OwnAsync(SqlStep step, IEnumerable<TaskRow> rows, Guid? creation)
    {
        if (!step.IsRepeated || creation is not { } mark)
        {
            return [];
        }

        var tasks = Argument.Longs("tasks", rows.Select(row => row.TaskNo));
        return [.. await step.QueryAsync("find_creation", row => row.GetInt64(0), tasks, Argument.Uuid("creation", mark)).ConfigureAwait(false)];
    }

    private async ValueTask<IReadOnlyList<ImportAnswer>> ImportAllAsync(
        SqlStep step, IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, Guid creation, List<Guid> claims)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        foreach (var executor in executors)
        {
            await step.ExecuteAsync(
                "set_ping", Argument.Text("executor", executor.ExecutorId), Argument.Long("ping", Ticks.Of(TaskImport.Ping(executor.LastPing, now)))).ConfigureAwait(false);
        }

        // An id that comes again in the same call is known by then.
        var rows = tasks.Select((task, place) => NewRow(task, creation, claims[place], now)).ToList();
        var inserted = (await step.InsertAsync([.. rows.DistinctBy(row => row.Id)]).ConfigureAwait(false)).ToHashSet();
        var known = rows.Select(row => row.Id).Except(inserted.Select(row => row.Id));
        var own = inserted.Count < rows.Count ? await OwnAsync(step, known, creation).ConfigureAwait(false) : [];
        var answers = new ImportAnswer[tasks.Count];
        foreach (var (place, row) in rows.Index())
        {
            if (inserted.Contains(row))
            {
                step.AddResults(row, TaskImport.Entries(tasks[place]));
                step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, row);
                answers[place] = new ImportAnswer(row.Id, CreateResult.Created, row.State.Claim);
            }
            else if (own.Remove(row.Id))
            {
                step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, row);
                answers[place] = new ImportAnswer(row.Id, CreateResult.Created, row.State.Claim);
            }
            else
            {
                answers[place] = new ImportAnswer(row.Id, CreateResult.Refused, null);
            }
        }

        return answers;
    }

    private TaskRow NewRow(TaskRecord task, Guid creation, Guid claim, DateTimeOffset now)
    {
        var state = TaskImport.State(task, claim, now, rules);
        return new TaskRow
        {
            Rules = rules,
            Creation = creation,
            Definition = task.Definition,
            Created = task.Created,
            State = state,
            RunNo = state.ResultRun == state.JobId ? 1 : 2,
            Results = task.Result.Count,
            ResultBytes = task.Result.Sum(TaskRow.SizeOf),
        };
    }

    /// <summary>Those that this same import has stored, in a try whose answer was lost.</summary>
    private static async ValueTask<HashSet<string>> OwnAsync(SqlStep step, IEnumerable<string> ids, Guid creation)
    {
        if (!step.IsRepeated)
        {
            return [];
        }

        var known = await step.LoadAsync("load_by_ids", DefinitionNeed.None, Argument.Texts("ids", ids)).ConfigureAwait(false);
        var own = await OwnAsync(step, known, creation).ConfigureAwait(false);
        return known.Where(row => own.Contains(row.TaskNo)).Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
    }

    protected TaskRow NewRow(TaskDefinition definition, Guid creation, DateTimeOffset now) => new()
    {
        Rules = rules,
        Creation = creation,
        Definition = definition,
        Created = now,
        State = TaskLifecycle.Create(definition, NewJobId(), now),
    };

    private static async ValueTask DeleteAsync(SqlStep step, List<long> tasks)
    {
        foreach (var statement in tasks.Count == 0 ? [] : (string[])["delete_tasks", "delete_states", "delete_results", "delete_failures", "delete_runs"])
        {
            await step.ExecuteAsync(statement, Argument.Longs("tasks", tasks)).ConfigureAwait(false);
        }
    }
}
