using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// One sequence, carried out on a store and on the model side by side. A step asks the store, does the same to the
/// model, learns the ids that the store has made, and compares the answers; then everything that can be seen is
/// compared. Here: what clients ask.
/// </summary>
internal sealed partial class ModelRun(OpenedStore opened, StoreModel model, Action<string>? trace)
{
    private static readonly System.Text.Json.JsonElement _message = Json.Of("""{"hello":["world"]}""");

    private readonly ITaskStore _store = opened.Store;

    public async Task StepAsync(ModelStep step)
    {
        switch (step)
        {
            case CreateStep create:
                await CreateAsync(create);
                break;
            case ImportStep import:
                await ImportAsync(import);
                break;
            case OutsideStep outside:
                await OutsideAsync(outside.Verb, ModelDefinitions.Ids[outside.Id]);
                break;
            case SeriesStep series:
                foreach (var verb in series.Verbs)
                {
                    await StepAsync(new OutsideStep(verb, series.Id));
                }

                break;
            case UpdateStep update:
                await UpdateAsync(update);
                break;
            case DeleteEndedStep delete:
                await DeleteEndedAsync(delete);
                break;
            case AdvanceStep advance:
                var expected = model.Now + advance.By;
                model.Now = await opened.Advance(advance.By);
                Difference.Check("the store's time", expected, model.Now);
                break;
            case PutBackStep back when opened.PutBack is { } putBack:
                expected = model.Now - back.By;
                model.Now = await putBack(back.By);
                Difference.Check("the store's time", expected, model.Now);
                break;
            case PutBackStep:
                break;
            case ClaimNextStep claim:
                await ClaimNextAsync(claim);
                break;
            case ClaimByIdStep claim:
                await ClaimByIdAsync(claim);
                break;
            case ReportStep report:
                await ReportAsync(report);
                break;
            case ManagerStep manager:
                await ManageAsync(manager.Verb, manager.Limit);
                break;
            case TickStep:
                await TickAsync();
                break;
            case DriveStep drive:
                await TickAsync();
                await ClaimNextAsync(new ClaimNextStep(1, 10, 1_000_000));
                var every = Enumerable.Range(0, ModelDefinitions.Ids.Count).Select(
                    nth => new ReportSpec(nth, ReportBy.Holder, drive.Outcome, TimeSpan.Zero));
                await ReportAsync(new ReportStep([.. every]));
                break;
            case ExecutorStep executor:
                await ExecutorAsync(executor);
                break;
            case ListStep list:
                await ListAsync(list);
                break;
            case MarkStep mark:
                await MarkAsync(mark);
                break;
            case NotificationsStep notifications:
                await ListNotificationsAsync(notifications);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, null);
        }

        await CheckAllAsync();
    }

    private async Task CreateAsync(CreateStep step)
    {
        var definitions = step.Tasks.Select(task => ModelDefinitions.Prepared(task.Shape, task.Id)).ToList();
        var answers = await _store.CreateAsync(definitions, step.OnConflict, default);
        var expected = definitions.Select(definition => CreateInModel(definition, step.OnConflict)).ToList();
        trace?.Invoke(
            $"    {string.Join(", ", answers.Select(answer => $"{answer.TaskId}: {answer.Result}, {answer.State}"))}");
        Difference.CheckList("answers to create", expected, [.. answers.Select(answer => answer with { Faults = [] })]);
    }

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

        return new CreateAnswer(definition.Id!, result, model.Find(definition.Id!)!.State.State) { Faults = [] };
    }

    private async Task ImportAsync(ImportStep step)
    {
        var id = ModelDefinitions.Ids[step.Id];
        var task = ModelDefinitions.PreparedForeign(step.Foreign, step.Id);
        if (step.CopyOf is { } copy && await _store.GetAsync(ModelDefinitions.Ids[copy], default) is { } stored)
        {
            // As an export and an import do it.
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
        Difference.Check("a claim is given", !known && task.State == TaskState.Executed, answer.Claim is not null);
        if (!known)
        {
            model.Import(task, answer.Claim ?? Guid.Empty);
            LearnClaim(model.Find(id)!);
        }
    }

    private async Task UpdateAsync(UpdateStep step)
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
            task!.Update(definition, model.Now);
        }
    }

    private async Task OutsideAsync(OutsideVerb verb, string id)
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

    private async Task DeleteEndedAsync(DeleteEndedStep step)
    {
        var due = model.Tasks.Values
            .Where(
                task => task.State.HasEnded && task.Definition is { Cron: null, System: false }
                    && task.State.StatusChange < model.Now - step.Age)
            .ToDictionary(task => task.Id, task => (IComparable)task.State.StatusChange);
        var gone = await _store.DeleteEndedAsync(step.Age, step.Limit, default);
        trace?.Invoke($"    {string.Join(", ", gone)}");
        CheckChoice("delete ended", due, gone, Math.Min(step.Limit, due.Count));
        foreach (var id in gone)
        {
            model.Tasks.Remove(id);
        }
    }

    /// <summary>
    /// What was taken is as many as there should be, and nothing that was left comes strictly before any of it. Ties
    /// are free.
    /// </summary>
    private static void CheckChoice(
        string what, Dictionary<string, IComparable> due, IReadOnlyList<string> taken, int count)
    {
        var left = due.Keys.Except(taken).ToList();
        var shown =
            $"{what}: the store took [{string.Join(", ", taken)}] of "
                + $"[{string.Join(", ", due.OrderBy(task => task.Value).Select(task => task.Key))}]";
        if (taken.Count != count || taken.Distinct().Count() != count || !taken.All(due.ContainsKey))
        {
            Difference.Fail($"{shown}; the model takes {count}.");
        }

        if (left.Count > 0 && count > 0 && taken.Max(id => due[id])!.CompareTo(left.Min(id => due[id])) > 0)
        {
            Difference.Fail($"{shown}, not in their order.");
        }
    }
}
