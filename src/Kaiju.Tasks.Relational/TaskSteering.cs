using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Validation;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The store's members that change or delete tasks for clients. Such a step must not be applied twice, so each
/// remembers its last try. If the answer of that try was lost, the next try finds in the stored rows whether it was
/// committed. Where the rows do not show it, the caller gets <see cref="TaskOutcomeUnknownException"/>.
/// </summary>
internal sealed class TaskSteering(SqlSession session, StoreParts parts)
{
    public ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken)
    {
        CreationRules.ThrowIfNotPrepared([definition]);
        return session.WriteAsync(new UpdateStep(definition, revision, context).RunAsync, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        session.WriteAsync(new DeleteStep(taskId, context).RunAsync, cancellationToken);

    public ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        ApplyEventAsync(taskId, context, new TaskEvent.Reset(parts.NewJobId()), cancellationToken);

    public ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken) =>
        session.WriteAsync(new RetryStep(taskId, change, context).RunAsync, cancellationToken);

    public ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken)
    {
        var step = new BulkStep(request, context);
        return request.DryRun
            ? session.ReadAsync(step.CountAsync, cancellationToken)
            : session.WriteAsync(step.RunAsync, cancellationToken);
    }

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        ApplyEventAsync(taskId, context, new TaskEvent.Cancelled(), cancellationToken);

    public ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        ApplyEventAsync(taskId, context, new TaskEvent.MessageSent(data), cancellationToken);

    public async ValueTask<bool> PauseAsync(
        TaskPause pause, CallContext context, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(pause);
        if (context.Scope?.IncludesApp(pause.AppName) == false)
        {
            return false;
        }

        return await session.WriteAsync(
            async step =>
            {
                await RoutingRows.PauseAsync(step, pause, context.Actor).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(appName, method);
        if (context.Scope?.IncludesApp(appName) == false)
        {
            return false;
        }

        // True if an earlier try ended the pause and its answer was lost.
        var hasResumed = false;
        return await session.WriteAsync(
            async step =>
            {
                var resumes = await RoutingRows.ResumeAsync(step, appName, method).ConfigureAwait(false);
                hasResumed = resumes || (step.IsRepeated && hasResumed);
                return hasResumed;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<bool> ApplyEventAsync(
        string taskId, CallContext context, TaskEvent happened, CancellationToken cancellationToken) =>
        session.WriteAsync(new EventStep(taskId, context, happened).RunAsync, cancellationToken);
}
