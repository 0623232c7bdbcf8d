using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The steps of clients, applied to the store and to the model.</summary>
internal sealed class ModelClients(OpenedStore opened, StoreModel model, ModelClaims claims, Action<string>? trace)
{
    private static readonly System.Text.Json.JsonElement _message = Json.Of("""{"hello":["world"]}""");

    private readonly ITaskStore _store = opened.Store;

    public async Task CreateAsync(CreateStep step)
    {
        var definitions = step.Tasks.Select(task => ModelDefinitions.Prepared(task.Shape, task.Id)).ToList();
        var answers = await _store.CreateAsync(definitions, step.OnConflict, default);
        var expected = definitions.Select(definition => CreateInModel(definition, step.OnConflict)).ToList();
        trace?.Invoke(
            $"    {string.Join(", ", answers.Select(answer => $"{answer.TaskId}: {answer.Result}, {answer.State}"))}");
        Difference.CheckList("answers to create", [.. expected.Zip(answers, WithNewRun)], answers);
    }

    /// <summary>The expected answer with the store's id of a new run.</summary>
    private static CreateAnswer WithNewRun(CreateAnswer expected, CreateAnswer answer) =>
        StoreModel.IsUnknown(expected.JobId) ? expected with { JobId = answer.JobId } : expected;

    private CreateAnswer CreateInModel(TaskDefinition definition, OnConflict onConflict)
    {
        var known = model.Find(definition.Id!)?.State.State;
        var result = (known, onConflict) switch
        {
            (null, _) => CreateResult.Created,
            (_, OnConflict.Skip) => CreateResult.Skipped,
            (TaskState.Idle or TaskState.Finished or TaskState.Failed, OnConflict.Replace) => CreateResult.Replaced,
            _ => CreateResult.Refused,
        };
        if (result is CreateResult.Created or CreateResult.Replaced)
        {
            model.Create(definition);
        }

        return CreateAnswer.Of(definition.Id!, model.Find(definition.Id!)!.State, result);
    }

    public async Task ImportAsync(ImportStep step)
    {
        var id = ModelDefinitions.Ids[step.Id];
        var task = ModelDefinitions.PreparedForeign(step.Foreign, step.Id);
        if (step.CopyOf is { } copy && await _store.GetAsync(ModelDefinitions.Ids[copy], default) is { } stored)
        {
            // Like an export followed by an import.
            task = ModelDefinitions.Import(TaskRecord.FromJson(stored.ToJson()), id);
        }

        var executor = step.WithPing ? task.ExecutorId : null;
        var ping = model.Now - TimeSpan.FromSeconds(30);
        var answer = (await _store.ImportAsync(
            [task], executor is null ? [] : [new ExecutorPing(executor, ping)], default)).Single();
        if (executor is not null)
        {
            model.LastPings[executor] = ping;
        }

        var known = model.Find(id) is not null;
        trace?.Invoke($"    {task.Id}, which is {task.State}: {answer.Result}");
        Difference.Check("answer to import", known ? CreateResult.Refused : CreateResult.Created, answer.Result);
        Difference.Check("the import's claim", !known && task.State == TaskState.Executing, answer.Claim is not null);
        if (!known)
        {
            model.Import(task, answer.Claim ?? Guid.Empty);
            claims.Learn(model.Find(id)!);
        }
    }

    public async Task UpdateAsync(UpdateStep step)
    {
        var id = ModelDefinitions.Ids[step.Id];
        var task = model.Find(id);
        var definition = ModelDefinitions.Changed(
            task?.Definition ?? ModelDefinitions.Prepared(0, step.Id), step.Change, step.Id);
        var faults = task is null ? [] : TaskUpdate.FindFaults(task.Definition, definition, task.State);
        var expected = task is null
            ? UpdateResult.Missing
            : step.IsStale ? UpdateResult.Stale : faults.Count > 0 ? UpdateResult.Refused : UpdateResult.Updated;
        var answer = await _store.UpdateAsync(definition, (task?.Revision ?? 0) - (step.IsStale ? 1 : 0), default);
        trace?.Invoke($"    {answer.Result} {string.Join(" ", answer.Faults)}");
        Difference.Check($"answer to the update of {id}", expected, answer.Result);
        Difference.CheckList(
            $"the faults of the update of {id}", expected == UpdateResult.Refused ? faults : [], answer.Faults);
        if (expected == UpdateResult.Updated)
        {
            model.Update(task!, definition);
        }
    }

    public async Task UpsertAsync(UpsertStep step)
    {
        var known = model.Find(ModelDefinitions.Ids[step.Id]);
        var definition = ModelDefinitions.Changed(
            known?.Waiting ?? known?.Definition ?? ModelDefinitions.Prepared(step.Shape, step.Id),
            step.Change,
            step.Id);
        var rule = new ConflictRule(OnConflict.Update, step.Version);
        var answers = await _store.CreateAsync([definition], rule, CallContext.Empty, default);
        var result = model.Upsert(definition, step.Version);
        var expected = CreateAnswer.Of(definition.Id!, model.Find(definition.Id!)!.State, result);
        trace?.Invoke($"    {answers[0].Result}, {answers[0].State}");
        Difference.CheckList("answers to upsert", [WithNewRun(expected, answers[0])], answers);
    }

    public async Task OutsideAsync(OutsideVerb verb, string id)
    {
        var answer = await (verb switch
        {
            OutsideVerb.Cancel => _store.CancelAsync(id, default),
            OutsideVerb.Reset => _store.ResetAsync(id, default),
            OutsideVerb.Delete => _store.DeleteAsync(id, default),
            _ => _store.SendMessageAsync(id, _message, default),
        });
        var expected = model.Find(id) is { } task && (verb switch
        {
            OutsideVerb.Cancel => model.ApplyEvent(task, new TaskEvent.Cancelled()),
            OutsideVerb.Reset => model.ApplyEvent(task, new TaskEvent.Reset(model.NewRun())),
            OutsideVerb.Delete => model.Tasks.Remove(id),
            _ => model.ApplyEvent(task, new TaskEvent.MessageSent(_message)),
        });
        model.StartChained();
        trace?.Invoke($"    {answer}");
        Difference.Check($"answer to {verb} {id}", expected, answer);
    }

    public async Task RetryAsync(string id, RetryChange? change)
    {
        var answer = await _store.RetryAsync(id, change, CallContext.Empty, default);
        var expected = RetryInModel(model.Find(id), change);
        trace?.Invoke($"    {answer}");
        Difference.Check($"answer to the retry of {id}", expected, answer);
    }

    private RetryResult RetryInModel(ModelTask? task, RetryChange? change)
    {
        var shown = task?.RunOf(task.State.ResultRun);
        var result = TaskLifecycle.JudgeRetry(task?.Definition, task?.State, shown, change);
        if (result == RetryResult.Retried)
        {
            var isRenewed = task!.State.RetryAt is null || change is not null;
            var (attempt, results) = (task.State.Attempt, task.Results);
            model.ApplyEvent(task, new TaskEvent.Retried(shown, change, results.Count));
            Difference.Check($"{task.Id} resumes", TaskState.Queued, task.State.State);
            Difference.Check($"the attempt of {task.Id}", (shown?.Retries + 1 ?? attempt) + 1, task.State.Attempt);
            Difference.Check($"the used budget of {task.Id}", true, !isRenewed || task.State.Retries == 0);
            if (isRenewed)
            {
                Difference.Check(
                    $"the results of {task.Id}", Math.Min(task.State.Stage, results.Count), task.Results.Count);
            }
        }

        return result;
    }

    public async Task ChangeManyAsync(BulkStep step)
    {
        var tasks = model.Tasks.Values
            .Where(task => task.State.State == step.State && task.State.StatusChange < model.Now)
            .ToList();
        var (matched, done) = (0, 0);
        var answer = default(BulkAnswer?);
        do
        {
            var request = new BulkRequest
            {
                Verb = step.Verb,
                Query = new TaskQuery { State = step.State, NewestFirst = step.NewestFirst },
                After = answer?.Next,
                Started = answer?.Started,
                Limit = step.Limit,
                DryRun = step.DryRun,
            };
            var next = await _store.ChangeManyAsync(request, default);
            (matched, done, answer) = (matched + next.Matched, done + next.Done, next);
        }
        while (answer?.Next is not null);
        trace?.Invoke($"    {done} of {matched}");
        Difference.Check("the tasks that are matched", tasks.Count, matched);
        Difference.Check("the tasks that are changed", step.DryRun ? 0 : tasks.Count(ChangeInModel), done);

        bool ChangeInModel(ModelTask task) => step.Verb switch
        {
            BulkVerb.Retry => RetryInModel(task, change: null) == RetryResult.Retried,
            BulkVerb.Cancel => model.ApplyEvent(task, new TaskEvent.Cancelled()),
            _ => model.Tasks.Remove(task.Id),
        };
    }

    public async Task DeleteEndedAsync(DeleteEndedStep step)
    {
        var due = model.Tasks.Values
            .Where(
                task => task.State.HasEnded && task.State.State == step.State
                    && task.Definition is { Cron: null, System: false }
                    && task.State.StatusChange < model.Now - step.Age)
            .ToDictionary(task => task.Id, task => (IComparable)task.State.StatusChange);
        var gone = await _store.DeleteEndedAsync(step.State, step.Age, step.Limit, default);
        trace?.Invoke($"    {string.Join(", ", gone)}");
        Choice.Check("delete ended", due, gone, Math.Min(step.Limit, due.Count));
        foreach (var id in gone)
        {
            model.Tasks.Remove(id);
        }
    }
}
