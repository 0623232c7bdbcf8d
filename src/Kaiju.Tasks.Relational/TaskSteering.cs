using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

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

    public ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken) =>
        ApplyEventAsync(taskId, context, new TaskEvent.Cancelled(), cancellationToken);

    public ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken) =>
        ApplyEventAsync(taskId, context, new TaskEvent.MessageSent(data), cancellationToken);

    private ValueTask<bool> ApplyEventAsync(
        string taskId, CallContext context, TaskEvent happened, CancellationToken cancellationToken) =>
        session.WriteAsync(new EventStep(taskId, context, happened).RunAsync, cancellationToken);
}
