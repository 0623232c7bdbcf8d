using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Validation;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>Changes tasks in memory for clients and operators.</summary>
internal sealed class MemoryTaskSteering(MemoryState state)
{
    public ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken)
    {
        TaskDefinitionChecker.ThrowIfNotPrepared(definition);
        using var step = state.BeginStep(cancellationToken);
        return new(Update(step, definition, revision, context));
    }

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(Find(taskId, context) is { } task && step.ApplyEvent(task, new TaskEvent.Reset(state.NewJobId())));
    }

    public ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(Retry(step, Find(taskId, context), change));
    }

    public ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        var started = request.Started ?? step.Now;
        var tasks = state.Tasks.Select(request.Query, request.After).Take(request.Limit).ToList();
        var matched = tasks.FindAll(task => task.State.StatusChange < started && task.IsIn(context.Scope));
        return new(
            new BulkAnswer
            {
                Started = started,
                Matched = matched.Count,
                Done = request.DryRun ? 0 : matched.Count(task => Change(step, task, request.Verb)),
                Next = tasks.Count < request.Limit ? null : new TaskCursor(tasks[^1].Created, tasks[^1].Id),
            });
    }

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(Find(taskId, context) is { } task && step.ApplyEvent(task, new TaskEvent.Cancelled()));
    }

    public ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(Find(taskId, context) is { } task && step.ApplyEvent(task, new TaskEvent.MessageSent(data)));
    }

    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken)
    {
        using var step = state.BeginStep(cancellationToken);
        return new(Find(taskId, context) is { } task && Delete(step, task));
    }

    public ValueTask<bool> PauseAsync(TaskPause pause, CallContext context, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(pause);
        using var step = state.BeginStep(cancellationToken);
        if (context.Scope?.IncludesApp(pause.AppName) == false)
        {
            return new(false);
        }

        state.Routing.Pause(pause.Stored(step.Now, context.Actor), state.Tasks, step.Now);
        return new(true);
    }

    public ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(appName, method);
        using var step = state.BeginStep(cancellationToken);
        if (context.Scope?.IncludesApp(appName) == false
            || !state.Routing.Resume(pause => pause.IsOfSame(appName, method), state.Tasks, step.Now))
        {
            return new(false);
        }

        step.HintOfApp(appName);
        return new(true);
    }

    private bool Change(MemoryStep step, MemoryTask task, BulkVerb verb) => verb switch
    {
        BulkVerb.Retry => Retry(step, task, change: null) == RetryResult.Retried,
        BulkVerb.Cancel => step.ApplyEvent(task, new TaskEvent.Cancelled()),
        BulkVerb.Delete => Delete(step, task),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "The verb is unknown."),
    };

    private bool Delete(MemoryStep step, MemoryTask task)
    {
        state.Tasks.Remove(task);
        var lost = task.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost;
        step.Hint(StoreHintKinds.Ended | lost, task);
        return true;
    }

    private static RetryResult Retry(MemoryStep step, MemoryTask? task, RetryChange? change)
    {
        var shown = task?.FindRun(task.State.ResultRun);
        var result = TaskLifecycle.JudgeRetry(task?.Definition, task?.State, shown, change);
        if (result == RetryResult.Retried)
        {
            step.ApplyEvent(task!, new TaskEvent.Retried(shown, change, task!.Results));
        }

        return result;
    }

    private UpdateAnswer Update(MemoryStep step, TaskDefinition definition, int revision, CallContext context)
    {
        if (Find(definition.Id!, context) is not { } task)
        {
            return new UpdateAnswer { Result = UpdateResult.Missing };
        }

        if (task.Revision != revision)
        {
            return new UpdateAnswer { Result = UpdateResult.Stale };
        }

        if (TaskUpdate.FindFaults(task.Definition, definition, task.State) is { Count: > 0 } faults)
        {
            return new UpdateAnswer { Result = UpdateResult.Refused, Faults = faults };
        }

        step.Update(
            task,
            definition,
            TaskUpdate.KeepWaiting(task.Definition, task.Waiting, definition),
            TaskUpdate.Apply(task.Definition, definition, task.State, step.Now));
        return new UpdateAnswer { Result = UpdateResult.Updated };
    }

    /// <summary>Finds a task that the caller may reach; one outside its scope is treated as missing.</summary>
    private MemoryTask? Find(string taskId, CallContext context) =>
        state.Tasks.Find(taskId) is { } task && task.IsIn(context.Scope) ? task : null;
}
