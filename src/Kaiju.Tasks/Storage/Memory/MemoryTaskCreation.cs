using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Creates and imports tasks in memory.</summary>
internal sealed class MemoryTaskCreation(MemoryState state)
{
    public ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken)
    {
        CreationRules.ThrowIfNotPrepared(tasks);
        using var step = state.BeginStep(cancellationToken);
        var answers = new CreateAnswer[tasks.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = Create(step, tasks[i], onConflict, context);
        }

        return new(answers);
    }

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CancellationToken cancellationToken)
    {
        CreationRules.ThrowIfNotPrepared(tasks.Select(task => task.Definition));
        using var step = state.BeginStep(cancellationToken);
        foreach (var executor in executors)
        {
            state.LastPings[executor.ExecutorId] = TaskImport.Ping(executor.LastPing, step.Now);
        }

        var answers = new ImportAnswer[tasks.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = Import(step, tasks[i]);
        }

        return new(answers);
    }

    private CreateAnswer Create(MemoryStep step, TaskDefinition definition, ConflictRule rule, CallContext context)
    {
        var result = CreateResult.Created;
        if (state.Tasks.Find(definition.Id!) is { } known)
        {
            result = ResolveConflict(step, known, definition, rule, context);
            if (result != CreateResult.Replaced)
            {
                return Answer(known, result);
            }
        }

        var first = step.Decide(definition, TaskLifecycle.Create(definition, state.NewJobId(), step.Now));
        var task = new MemoryTask(definition, first, step.Now, state.NextSequence(), []) { Version = rule.Version };
        state.Tasks.Add(task);
        step.Hint(CreationRules.HintsOf(first), task);
        return Answer(task, result);
    }

    private static CreateAnswer Answer(MemoryTask stored, CreateResult result) =>
        CreateAnswer.Of(stored.Id, stored.State, result);

    private CreateResult ResolveConflict(
        MemoryStep step, MemoryTask known, TaskDefinition definition, ConflictRule rule, CallContext context)
    {
        var result = CreationRules.Decide(rule.OnConflict, known.State, isInScope: known.IsIn(context.Scope));
        if (result == CreateResult.Updated)
        {
            return step.Deploy(known, TaskDeployment.Decide(known.Snapshot(), definition, rule.Version, step.Now));
        }

        if (result == CreateResult.Replaced)
        {
            state.Tasks.Remove(known);
            step.Hint(StoreHintKinds.Ended, known);
        }

        return result;
    }

    private ImportAnswer Import(MemoryStep step, TaskRecord imported)
    {
        if (state.Tasks.Find(imported.Id) is { } known)
        {
            return new ImportAnswer { TaskId = known.Id, Result = CreateResult.Refused, Claim = null };
        }

        var first = step.Decide(
            imported.Definition, TaskImport.State(imported, state.NewId(), step.Now, state.Rules));
        var task = new MemoryTask(
            imported.Definition, first, imported.Created, state.NextSequence(), TaskImport.Entries(imported))
        {
            Waiting = imported.Waiting,
            Version = imported.Version,
        };
        state.Tasks.Add(task);
        step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, task);
        return new ImportAnswer { TaskId = task.Id, Result = CreateResult.Created, Claim = first.Claim };
    }
}
