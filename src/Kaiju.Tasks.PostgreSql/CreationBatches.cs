using System.Runtime.InteropServices;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// How tasks are created: those of many callers by one statement. What a batch leaves is created by its caller.
/// </summary>
internal sealed class CreationBatches : TaskCreation, IAsyncDisposable
{
    /// <summary>How long a batch waits for as many callers as the one before had.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a batch is halved, before what has no answer yet is left to its callers.</summary>
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

        // Its thread may be kept: that is what it is for.
        _batches = new BatchThread<NewTask, BatchedCreation>(
            "Kaiju.Tasks creations",
            _patience,
            tasks => CreateAsync(tasks).AsTask().GetAwaiter().GetResult(),
            task => task.Row.Bytes);
    }

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        OnConflict onConflict,
        CallContext context,
        CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        var mark = Parts.Ids.NewId();
        var created = new NewTask[tasks.Count];
        for (var i = 0; i < created.Length; i++)
        {
            created[i] = new NewTask(TaskRow.New(tasks[i], Parts, mark, DateTimeOffset.UnixEpoch), onConflict);
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
    /// Fails the creations that are not under way yet. The thread still uses the connection, and ends with it.
    /// </summary>
    public void Abandon() => _batches.Abandon();

    /// <summary>
    /// The task's first state does not depend on what time it is: all its times are counted from its creation.
    /// </summary>
    private static bool IsSoon(TaskDefinition task) =>
        task.Cron is null && (task.RunAt is null || task.RunAt == TaskDefinition.OnDemand);

    /// <summary>
    /// Puts what may be created together with tasks of other callers into a batch. The rest stays open.
    /// </summary>
    private async ValueTask<IReadOnlyList<BatchedCreation>> CreateTogetherAsync(
        NewTask[] tasks, CallContext context, CancellationToken cancellationToken)
    {
        // Batches answer for known ids without looking at scopes.
        bool MayBeBatched(NewTask task) =>
            context.Scope is null && IsSoon(task.Row.Definition) && !_apart.IsHeld(task.Row.Id);
        if (Array.TrueForAll(tasks, MayBeBatched))
        {
            return tasks.Length == 0 ? [] : await _batches.AddAsync(tasks, cancellationToken).ConfigureAwait(false);
        }

        // An id that comes again stays behind the first one.
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

    /// <summary>Carries a batch out, on its thread. What is left without an answer is its caller's.</summary>
    private async ValueTask<IReadOnlyList<BatchedCreation>> CreateAsync(IReadOnlyList<NewTask> tasks)
    {
        var batch = new CreationBatch(tasks);
        await CreateUnknownAsync(
            batch, batch.FirstOfEachId(), TimeProvider.System.GetTimestamp()).ConfigureAwait(false);
        await AnswerKnownAsync(batch).ConfigureAwait(false);
        return batch.Created;
    }

    /// <summary>
    /// Creates those whose ids are unknown. A statement that meets an id which another transaction is creating, or that
    /// the server refuses, is halved until the creation that is in the way stands alone, for a while.
    /// </summary>
    private async ValueTask CreateUnknownAsync(CreationBatch batch, ReadOnlyMemory<int> places, long began)
    {
        try
        {
            await CreateAsync(batch, places).ConfigureAwait(false);
        }
        catch (Exception e) when (batch.IsHalved && !(Faults.IsHeld(e) || Faults.IsOfData(e)))
        {
            // Others of the batch have their answers. The callers of these meet the fault again, if it is still there,
            // and hear of it.
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

        // Commits with notifications wait for each other: what is done a second time has its notification afterwards.
        var told = batch.IsHalved ? "" : _session.TakeHintTurn(rows.Values.Select(place => batch.Tasks[place].Row));
        var attempt = new CreationAttempt(
            _session, batch, places, Argument.Text("channel", _schema), Argument.Text("told", told));
        var hint = default(StoreHint);
        foreach (var id in await _session.AskOnThreadAsync(
            _connection, attempt, CancellationToken.None).ConfigureAwait(false))
        {
            if (id is not null)
            {
                var row = batch.Tasks[rows[id]].Row;
                batch.Created[rows[id]] = BatchedCreation.Of(
                    Answer(id, row.State.JobId, CreateResult.Created, row.State.State));
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

    /// <summary>Answers for ids that are known already and stay as they are, by one read that holds nothing.</summary>
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
                    var result = batch.Tasks[place].OnConflict == OnConflict.Skip
                        ? CreateResult.Skipped
                        : CreateResult.Refused;
                    batch.Created[place] = BatchedCreation.Of(Answer(id, job, result, state));
                }
            }
        }
        catch (Exception e) when (e is NpgsqlException || Faults.IsOfConnection(e))
        {
            // Others of the batch are created. The callers of these ask again by themselves, and hear of the fault if
            // it is still there.
        }
    }

    private static CreateAnswer Answer(string id, string job, CreateResult result, TaskState state) => new()
    {
        TaskId = id,
        JobId = job,
        Result = result,
        State = state,
    };

    /// <summary>The statement that creates. What was stored before an answer was lost knows its creation.</summary>
    private sealed class CreationAttempt(
        PostgreSqlSession session, CreationBatch batch, ReadOnlyMemory<int> places, Argument channel, Argument told)
        : StatementAttempt<List<string?>>(
            session,
            step => step.QueryEachAsync(
                "create",
                row => row.TextOrNull(0),
                [.. MemoryMarshal.ToEnumerable(places).Select(place => batch.Tasks[place].Row)],
                TaskRowColumns.New,
                channel,
                told),
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
