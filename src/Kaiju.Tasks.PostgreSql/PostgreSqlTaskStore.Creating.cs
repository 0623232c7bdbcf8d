using System.Runtime.InteropServices;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>How tasks are created: those of many callers by one statement; each of the others by its caller, while rows are held.</content>
internal sealed partial class PostgreSqlTaskStore
{
    /// <summary>The ids for which creations are waiting outside the batches. A further creation of such an id would only hold a batch up.</summary>
    private readonly HeldIds _awaited = new();

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        var creation = Ids.NewId();
        var rows = new NewTask[tasks.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new NewTask(NewRow(tasks[i], creation, DateTimeOffset.UnixEpoch), onConflict);
        }

        var created = await CreateTogetherAsync(rows, context, cancellationToken).ConfigureAwait(false);
        var answers = new CreateAnswer[rows.Length];
        List<int>? open = null;
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = created[i].Answer;
            if (answers[i].TaskId is null)
            {
                (open ??= []).Add(i);
            }
        }

        if (open is not null)
        {
            await CreateOthersAsync(rows, open, created, context, answers, cancellationToken).ConfigureAwait(false);
        }

        return answers;
    }

    /// <summary>The task's first state does not depend on what time it is: all its times are counted from its creation.</summary>
    private static bool IsSoon(TaskDefinition task) => task.Cron is null && (task.RunAt is null || task.RunAt == TaskDefinition.OnDemand);

    /// <summary>Puts what may be created together with tasks of other callers into a batch. The rest stays open.</summary>
    private async ValueTask<IReadOnlyList<Created>> CreateTogetherAsync(NewTask[] tasks, CallContext context, CancellationToken cancellationToken)
    {
        // Batches answer for known ids without looking at scopes.
        bool MayBeBatched(NewTask task) =>
            context.Scope is null && IsSoon(task.Row.Definition) && !_awaited.Contains(task.Row.Id);
        if (Array.TrueForAll(tasks, MayBeBatched))
        {
            return tasks.Length == 0 ? [] : await _creations.AddAsync(tasks, cancellationToken).ConfigureAwait(false);
        }

        // An id that comes again stays behind the first one.
        var created = new Created[tasks.Length];
        var others = new HashSet<string>(StringComparer.Ordinal);
        var places = Enumerable.Range(0, tasks.Length)
            .Where(place => !(others.Contains(tasks[place].Row.Id) || (!MayBeBatched(tasks[place]) && others.Add(tasks[place].Row.Id)))).ToList();
        if (places.Count > 0)
        {
            var answers = await _creations.AddAsync(places.ConvertAll(place => tasks[place]), cancellationToken).ConfigureAwait(false);
            foreach (var (place, answer) in places.Zip(answers))
            {
                created[place] = answer;
            }
        }

        return created;
    }

    /// <summary>
    /// What is not created in a batch, or was left by it: ids that are to be replaced, that come again, that another transaction is creating, and
    /// what the server refuses.
    /// </summary>
    private async ValueTask CreateOthersAsync(
        NewTask[] tasks, List<int> open, IReadOnlyList<Created> created, CallContext context, CreateAnswer[] answers, CancellationToken cancellationToken)
    {
        // The same ids stay together and in their order.
        var same = open.GroupBy(place => tasks[place].Row.Id, StringComparer.Ordinal).Select(group => group.ToArray()).ToList();
        foreach (var piece in Pieces.Of(same, places => places.Sum(place => tasks[place].Row.Bytes)))
        {
            await CreateOthersAsync([.. piece], isAlone: false).ConfigureAwait(false);
        }

        async Task CreateOthersAsync(int[][] ids, bool isAlone)
        {
            var places = ids.SelectMany(places => places).ToList();
            var definitions = places.ConvertAll(place => tasks[place].Row.Definition);
            var isRepeated = places.Exists(place => created[place].IsRepeated);
            var tried = new CreateAnswer[places.Count];
            ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync() => WriteAsync(
                isRepeated, step => CreateAllAsync(step, definitions, tasks[0].OnConflict, context, tasks[0].Row.Creation, tried), waits: false, cancellationToken);
            try
            {
                var rest = isAlone
                    ? await AloneAsync(CreateAsync, cancellationToken).ConfigureAwait(false)
                    : await InTurnAsync(_others, CreateAsync, cancellationToken).ConfigureAwait(false);
                foreach (var (place, answer) in places.Zip(rest))
                {
                    answers[place] = answer;
                }
            }
            catch (PostgresException e) when (Faults.IsHeld(e) && !isAlone)
            {
                if (ids.Length > 1)
                {
                    await Task.WhenAll(CreateOthersAsync(ids[..(ids.Length / 2)], false), CreateOthersAsync(ids[(ids.Length / 2)..], false)).ConfigureAwait(false);
                    return;
                }

                using var awaited = _awaited.Add(definitions[0].Id!);
                await CreateOthersAsync(ids, isAlone: true).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Carries a batch out, on its thread. What is left without an answer is its caller's.</summary>
    private async ValueTask<IReadOnlyList<Created>> CreateBatchAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        var batch = new CreationBatch(tasks);
        await CreateUnknownAsync(batch, batch.Distinct(), TimeProvider.System.GetTimestamp(), cancellationToken).ConfigureAwait(false);
        await AnswerKnownAsync(batch, cancellationToken).ConfigureAwait(false);
        return batch.Created;
    }

    /// <summary>
    /// Creates those whose ids are unknown. A statement that meets an id which another transaction is creating, or that the server refuses, is
    /// halved until the creation that is in the way stands alone, for a while.
    /// </summary>
    private async ValueTask CreateUnknownAsync(CreationBatch batch, ReadOnlyMemory<int> places, long began, CancellationToken cancellationToken)
    {
        try
        {
            await CreateAsync(batch, places, began, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (batch.IsHalved && !(Faults.IsHeld(e) || Faults.IsOfData(e)))
        {
            // Others of the batch have their answers. The callers of these meet the fault again, if it is still there, and hear of it.
        }
        catch (PostgresException e) when (Faults.IsHeld(e) || Faults.IsOfData(e))
        {
            batch.IsHalved = true;
            var half = places.Length / 2;
            if (half > 0 && TimeProvider.System.GetElapsedTime(began) < _mostHalving)
            {
                await CreateUnknownAsync(batch, places[..half], began, cancellationToken).ConfigureAwait(false);
                await CreateUnknownAsync(batch, places[half..], began, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask CreateAsync(CreationBatch batch, ReadOnlyMemory<int> places, long began, CancellationToken cancellationToken)
    {
        var rows = MemoryMarshal.ToEnumerable(places).ToDictionary(place => batch.Tasks[place].Row.Id, StringComparer.Ordinal);
        var hint = default(StoreHint);

        // Commits with notifications wait for each other: what is done a second time has its notification afterwards.
        var told = !batch.IsHalved && _channel is { } channel && channel.TryTakeTurn()
            ? channel.TextOf(rows.Values.Aggregate(hint, (hint, place) => HintOfNew(hint, batch.Tasks[place].Row)))
            : "";
        foreach (var id in await AskOnThreadAsync(
            _creating,
            step => step.QueryEachAsync(
                "create",
                row => row.TextOrNull(0),
                [.. rows.Values.Select(place => batch.Tasks[place].Row)],
                TaskRowColumns.New,
                Argument.Text("channel", _options.Schema),
                Argument.Text("told", told)),
            IsPassing,
            cancellationToken).ConfigureAwait(false))
        {
            if (id is not null)
            {
                var row = batch.Tasks[rows[id]].Row;
                batch.Created[rows[id]] = new Created(new CreateAnswer(id, CreateResult.Created, row.State.State), false);
                hint = HintOfNew(hint, row);
            }
        }

        batch.MarkFresh(places.Span);
        PublishHints(hint, told.Length > 0);

        bool IsPassing(Exception e)
        {
            if (Faults.IsOfConnection(e))
            {
                // What was stored before the answer was lost knows its creation.
                batch.MarkRepeated(places.Span);
                return true;
            }

            return Faults.IsRolledBack(e);
        }
    }

    /// <summary>Answers for ids that are known already and stay as they are, by one read that holds nothing.</summary>
    private async ValueTask AnswerKnownAsync(CreationBatch batch, CancellationToken cancellationToken)
    {
        var open = batch.OpenPlaces().Where(place => batch.Tasks[place].OnConflict != OnConflict.Replace && !batch.Created[place].IsRepeated)
            .ToLookup(place => batch.Tasks[place].Row.Id, StringComparer.Ordinal);
        if (open.Count == 0)
        {
            return;
        }

        List<(string Id, TaskState State)> known = [];
        try
        {
            known = await AskOnThreadAsync(
                _creating,
                step => step.QueryAsync("find_states", row => (row.GetString(0), (TaskState)row.GetInt32(1)), Argument.Texts("ids", open.Select(same => same.Key))),
                e => Faults.IsRolledBack(e) || Faults.IsOfConnection(e),
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException || Faults.IsOfConnection(e))
        {
            // Others of the batch are created. The callers of these ask again by themselves, and hear of the fault if it is still there.
        }

        foreach (var (id, state) in known)
        {
            foreach (var place in open[id])
            {
                var result = batch.Tasks[place].OnConflict == OnConflict.Skip ? CreateResult.Skipped : CreateResult.Refused;
                batch.Created[place] = new Created(new CreateAnswer(id, result, state), false);
            }
        }
    }

    private static StoreHint HintOfNew(StoreHint hint, TaskRow row) => hint.With(KindsOfNew(row), row.Definition.AppName, row.Id);

    /// <summary>A task that a call wants to create.</summary>
    private readonly record struct NewTask(TaskRow Row, OnConflict OnConflict);

    /// <summary>What became of it; without an answer it is left to its caller.</summary>
    /// <param name="Answer">The answer.</param>
    /// <param name="IsRepeated">It was tried, and it is not known whether that has happened.</param>
    private readonly record struct Created(CreateAnswer Answer, bool IsRepeated);

    /// <summary>Creations that are carried out together, and their answers by their places.</summary>
    private sealed class CreationBatch(IReadOnlyList<NewTask> tasks)
    {
        public IReadOnlyList<NewTask> Tasks => tasks;

        public Created[] Created { get; } = new Created[tasks.Count];

        public bool IsHalved { get; set; }

        /// <summary>The places of the first of each id: an id that comes again meets what the first has created.</summary>
        public int[] Distinct() => [.. Enumerable.Range(0, tasks.Count).DistinctBy(place => tasks[place].Row.Id, StringComparer.Ordinal)];

        public IEnumerable<int> OpenPlaces() => Enumerable.Range(0, tasks.Count).Where(place => Created[place].Answer.TaskId is null);

        /// <summary>A statement is whole: if it has created something for a call now, it had created nothing for it before.</summary>
        public void MarkFresh(ReadOnlySpan<int> places)
        {
            HashSet<Guid>? fresh = null;
            foreach (var place in places)
            {
                if (Created[place].Answer.TaskId is not null)
                {
                    (fresh ??= []).Add(Tasks[place].Row.Creation);
                }
            }

            foreach (var place in places)
            {
                if (Created[place].IsRepeated && fresh?.Contains(Tasks[place].Row.Creation) == true)
                {
                    Created[place] = default;
                }
            }
        }

        public void MarkRepeated(ReadOnlySpan<int> places)
        {
            foreach (var place in places)
            {
                Created[place] = new Created(default, true);
            }
        }
    }
}
