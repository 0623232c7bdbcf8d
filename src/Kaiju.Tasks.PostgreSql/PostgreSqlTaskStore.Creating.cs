using System.Runtime.ExceptionServices;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>How tasks are created: those of many callers by one statement, what meets a known id while rows are held.</content>
internal sealed partial class PostgreSqlTaskStore
{
    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        if (tasks.Count == 0 || !tasks.All(IsSoon))
        {
            return await base.CreateAsync(tasks, onConflict, cancellationToken).ConfigureAwait(false);
        }

        var creation = Ids.NewId();
        var items = new NewTask[tasks.Count];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = new NewTask(tasks[i], onConflict, creation);
        }

        var created = await _creations.AddAsync(items, cancellationToken).ConfigureAwait(false);
        var answers = new CreateAnswer[items.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            created[i].Fault?.Throw();
            answers[i] = created[i].Answer;
        }

        return answers;
    }

    /// <summary>The task's first state does not depend on what time it is: all its times are counted from its creation.</summary>
    private static bool IsSoon(TaskDefinition task) => task.Cron is null && (task.RunAt is null || task.RunAt == TaskDefinition.OnDemand);

    private async ValueTask<IReadOnlyList<Created>> CreateBatchAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellationToken)
    {
        var created = new Created[tasks.Count];
        var isRepeated = false;
        foreach (var (place, answer) in await CreateUnknownAsync(tasks, () => isRepeated = true, cancellationToken).ConfigureAwait(false))
        {
            created[place] = new Created(answer, null);
        }

        // Known ids, ids that come again, and what the server refuses: each call by itself, so that none fails for another.
        foreach (var call in Enumerable.Range(0, created.Length).Where(place => created[place] == default).GroupBy(place => tasks[place].Creation))
        {
            var (places, onConflict) = (call.ToList(), tasks[call.First()].OnConflict);
            var definitions = places.ConvertAll(place => tasks[place].Definition);
            try
            {
                var answers = await WriteAsync(
                    step => CreateAllAsync(step, definitions, onConflict, call.Key), true, isRepeated, cancellationToken).ConfigureAwait(false);
                foreach (var (place, answer) in places.Zip(answers))
                {
                    created[place] = new Created(answer, null);
                }
            }
            catch (Exception e)
            {
                places.ForEach(place => created[place] = new Created(default, ExceptionDispatchInfo.Capture(e)));
            }
        }

        return created;
    }

    /// <summary>Creates those whose ids are unknown, and answers for them by their places.</summary>
    private async ValueTask<IReadOnlyList<(int Place, CreateAnswer Answer)>> CreateUnknownAsync(
        IReadOnlyList<NewTask> tasks, Action repeats, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, (int Place, TaskRow Row)>(tasks.Count, StringComparer.Ordinal);
        for (var place = 0; place < tasks.Count; place++)
        {
            var (definition, _, creation) = tasks[place];
            rows.TryAdd(definition.Id!, (place, NewRow(definition, creation, DateTimeOffset.UnixEpoch)));
        }

        try
        {
            var answers = new List<(int Place, CreateAnswer Answer)>(rows.Count);
            var hint = default(StoreHint);
            var kinds = rows.Values.Aggregate(StoreHintKinds.None, (kinds, item) => kinds | KindsOfNew(item.Row));
            var isTold = _channel?.TryTakeTurn() == true;
            foreach (var id in await AskOnThreadAsync(
                _creating,
                step => step.QueryEachAsync(
                    "create",
                    row => row.TextOrNull(0),
                    [.. rows.Values.Select(item => item.Row)],
                    TaskRow.NewColumns,
                    Argument.Text("channel", _options.Schema),
                    Argument.Text("told", isTold ? HintChannel.TextOf(kinds) : "")),
                e => IsPassing(e, repeats),
                cancellationToken).ConfigureAwait(false))
            {
                if (id is not null)
                {
                    var (place, row) = rows[id];
                    answers.Add((place, new CreateAnswer(id, CreateResult.Created, row.State.State)));
                    hint = hint.With(KindsOfNew(row), id);
                }
            }

            Tell(hint, isTold);
            return answers;
        }
        catch (PostgresException e) when (Faults.IsOfData(e))
        {
            return [];
        }

        static bool IsPassing(Exception e, Action repeats)
        {
            if (Faults.IsOfConnection(e))
            {
                // What was stored before the answer was lost knows its creation.
                repeats();
                return true;
            }

            return Faults.IsRolledBack(e);
        }
    }

    /// <summary>A task that a call wants to create.</summary>
    private readonly record struct NewTask(TaskDefinition Definition, OnConflict OnConflict, Guid Creation);

    /// <summary>What became of it.</summary>
    private readonly record struct Created(CreateAnswer Answer, ExceptionDispatchInfo? Fault);
}
