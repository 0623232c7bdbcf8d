using System.Runtime.InteropServices;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Creates the tasks of many callers with one statement. Creations that a batch leaves open are completed by their
/// callers. See docs/decisions/0008.
/// </summary>
internal sealed class CreationBatches : TaskCreation, IAsyncDisposable
{
    /// <summary>The longest wait of a batch for as many callers as the last batch had.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// The longest time for splitting a batch; then creations without an answer are left to their callers.
    /// </summary>
    private static readonly TimeSpan _mostHalving = TimeSpan.FromSeconds(1);

    private readonly PostgreSqlSession _session;
    private readonly CreationsApart _apart;
    private readonly string _schema;
    private readonly DedicatedConnection _connection;
    private readonly BatchThread<NewTask, BatchedCreation> _batches;

    public CreationBatches(
        PostgreSqlSession session,
        StoreParts parts,
        PostgreSqlRetries retries,
        PostgreSqlConnections connections,
        string schema)
        : base(session, parts)
    {
        (_session, _schema) = (session, schema);
        _apart = new CreationsApart(session, parts, retries);
        _connection = new DedicatedConnection(connections);

        // The thread may be blocked: it serves only batches.
        _batches = new BatchThread<NewTask, BatchedCreation>(
            "Kaiju.Tasks creations",
            _patience,
            tasks => CreateAsync(tasks).AsTask().GetAwaiter().GetResult(),
            task => task.Row.Bytes);
    }

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        var mark = Parts.Ids.NewId();
        var created = new NewTask[tasks.Count];
        for (var i = 0; i < created.Length; i++)
        {
            var row = TaskRow.New(tasks[i], Parts, mark, DateTimeOffset.UnixEpoch, onConflict.Version);
            created[i] = new NewTask(row, onConflict);
        }

        var batched = await CreateTogetherAsync(created, context, cancellationToken).ConfigureAwait(false);
        return await _apart.CompleteAsync(created, batched, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Completes when every creation that was added before is answered.</summary>
    public async ValueTask DisposeAsync()
    {
        await _batches.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Fails the creations that have not started yet. The thread still uses the connection, and ends with it.
    /// </summary>
    public void Abandon() => _batches.Abandon();

    /// <summary>
    /// True if the task's first state does not depend on the current time: all its times are counted from its creation.
    /// </summary>
    private static bool IsSoon(TaskDefinition task) =>
        task.Cron is null && (task.RunAt is null || task.RunAt == TaskDefinition.OnDemand);

    /// <summary>
    /// Adds to a batch the creations that may share a statement with those of other callers. The others stay open.
    /// </summary>
    private async ValueTask<IReadOnlyList<BatchedCreation>> CreateTogetherAsync(
        NewTask[] tasks, CallContext context, CancellationToken cancellationToken)
    {
        // Batches answer for known ids without checking scopes, and store neither updates nor versions.
        bool MayBeBatched(NewTask task) =>
            context.Scope is null && task.Rule is { OnConflict: not OnConflict.Update, Version: null }
            && IsSoon(task.Row.Definition) && !_apart.IsHeld(task.Row.Id);
        if (Array.TrueForAll(tasks, MayBeBatched))
        {
            return tasks.Length == 0 ? [] : await _batches.AddAsync(tasks, cancellationToken).ConfigureAwait(false);
        }

        // Repeated ids wait for the first creation of that id.
        var created = new BatchedCreation[tasks.Length];
        var others = new HashSet<string>(StringComparer.Ordinal);
        var places = Enumerable.Range(0, tasks.Length)
            .Where(place => !others.Contains(tasks[place].Row.Id)
                && (MayBeBatched(tasks[place]) || !others.Add(tasks[place].Row.Id)))
            .ToList();
        if (places.Count > 0)
        {
            var batch = places.ConvertAll(place => tasks[place]);
            var answers = await _batches.AddAsync(batch, cancellationToken).ConfigureAwait(false);
            foreach (var (place, answer) in places.Zip(answers))
            {
                created[place] = answer;
            }
        }

        return created;
    }

    /// <summary>Runs a batch on its thread. Creations without an answer are left to their callers.</summary>
    private async ValueTask<IReadOnlyList<BatchedCreation>> CreateAsync(IReadOnlyList<NewTask> tasks)
    {
        var batch = new CreationBatch(tasks);
        await CreateUnknownAsync(
            batch, batch.FirstOfEachId(), TimeProvider.System.GetTimestamp()).ConfigureAwait(false);
        await AnswerKnownAsync(batch).ConfigureAwait(false);
        return batch.Created;
    }

    /// <summary>
    /// Creates the tasks whose ids are unknown. The statement fails if another transaction is creating one of the ids,
    /// or if the server refuses a value. It is then split in halves, for a while, until the failing creation is alone.
    /// </summary>
    private async ValueTask CreateUnknownAsync(CreationBatch batch, ReadOnlyMemory<int> places, long began)
    {
        try
        {
            await CreateAsync(batch, places).ConfigureAwait(false);
        }
        catch (Exception e) when (batch.IsHalved && !(Faults.IsHeld(e) || Faults.IsOfData(e)))
        {
            // The others of the batch have their answers. The callers of these retry, and get the exception if it
            // persists.
        }
        catch (PostgresException e) when (Faults.IsHeld(e) || Faults.IsOfData(e))
        {
            batch.IsHalved = true;
            var half = places.Length / 2;
            if (half > 0 && TimeProvider.System.GetElapsedTime(began) < _mostHalving)
            {
                await CreateUnknownAsync(batch, places[..half], began).ConfigureAwait(false);
                await CreateUnknownAsync(batch, places[half..], began).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask CreateAsync(CreationBatch batch, ReadOnlyMemory<int> places)
    {
        var rows = MemoryMarshal.ToEnumerable(places)
            .ToDictionary(place => batch.Tasks[place].Row.Id, StringComparer.Ordinal);

        // Commits with notifications wait for each other, so a repeated statement sends its notification afterwards.
        var told = batch.IsHalved ? "" : _session.TakeHintTurn(rows.Values.Select(place => batch.Tasks[place].Row));
        var routes = new Routes();
        foreach (var place in rows.Values)
        {
            routes.Add(batch.Tasks[place].Row);
        }

        var attempt = new CreationAttempt(
            _session,
            batch,
            places,
            [Argument.Text("channel", _schema), Argument.Text("told", told), .. routes.Arguments()]);
        var hint = default(StoreHint);
        foreach (var id in await _session.AskOnThreadAsync(
            _connection, attempt, CancellationToken.None).ConfigureAwait(false))
        {
            if (id is not null)
            {
                var row = batch.Tasks[rows[id]].Row;
                batch.Created[rows[id]] = BatchedCreation.Of(CreateAnswer.Of(id, row.State, CreateResult.Created));
                hint = hint.With(row.HintsOfNew, row.Definition.AppName, row.Id);
            }
        }

        batch.MarkFresh(places.Span);
        if (told.Length > 0)
        {
            _session.PublishLocally(hint);
        }
        else
        {
            _session.PublishHints(hint);
        }
    }

    /// <summary>Answers for known ids whose tasks are kept, with one read that locks nothing.</summary>
    private async ValueTask AnswerKnownAsync(CreationBatch batch)
    {
        var open = batch.FindOpen();
        if (open.Count == 0)
        {
            return;
        }

        var ids = Argument.Texts("ids", open.Select(same => same.Key));
        var find = new StatementAttempt<List<(string Id, string Job, TaskState State)>>(
            _session,
            step => step.QueryAsync(
                "find_states", row => (row.GetString(0), row.GetString(1), (TaskState)row.GetInt32(2)), ids),
            Faults.IsRolledBackOrLost,
            CancellationToken.None);
        try
        {
            foreach (var (id, job, state) in await _session.AskOnThreadAsync(
                _connection, find, CancellationToken.None).ConfigureAwait(false))
            {
                foreach (var place in open[id])
                {
                    var result = batch.Tasks[place].Rule.OnConflict == OnConflict.Skip
                        ? CreateResult.Skipped
                        : CreateResult.Refused;
                    batch.Created[place] = BatchedCreation.Of(new CreateAnswer
                    {
                        TaskId = id,
                        JobId = job,
                        Result = result,
                        State = state,
                    });
                }
            }
        }
        catch (Exception e) when (e is NpgsqlException || Faults.IsOfConnection(e))
        {
            // The others of the batch are created. The callers of these read again on their own, and get the exception
            // if it persists.
        }
    }

    /// <summary>The statement that creates. After a lost answer, the mark shows which tasks it created.</summary>
    private sealed class CreationAttempt(
        PostgreSqlSession session, CreationBatch batch, ReadOnlyMemory<int> places, Argument[] arguments)
        : StatementAttempt<List<string?>>(
            session,
            step => step.QueryEachAsync(
                "create",
                row => row.TextOrNull(0),
                [.. MemoryMarshal.ToEnumerable(places).Select(place => batch.Tasks[place].Row)],
                TaskRowColumns.New,
                arguments),
            Faults.IsRolledBackOrLost,
            CancellationToken.None)
    {
        private readonly CreationBatch _batch = batch;
        private readonly ReadOnlyMemory<int> _places = places;

        public override void PrepareNext(Exception fault)
        {
            if (Faults.IsOfConnection(fault))
            {
                _batch.MarkInDoubt(_places.Span);
            }
        }
    }
}
