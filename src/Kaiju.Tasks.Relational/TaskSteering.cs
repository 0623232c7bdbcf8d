using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What changes or removes tasks from outside. Such a step must not be done twice, so each remembers what its last try
/// did: if the answer of that try was lost, the next one tells by what is stored now whether it was committed. Where
/// nothing tells, the caller gets <see cref="TaskOutcomeUnknownException"/>.
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
