using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Changes definitions: reads one, applies the caller's change and stores it. Repeats this if another caller was
/// faster.
/// </summary>
internal sealed class DefinitionChanges(ClientCalls calls, ClientReading reading, TaskDefinitionChecker checker)
{
    public async Task<TaskRecord> ApplyAsync(
        string member, string taskId, Func<TaskDefinition, TaskDefinition> change, CancellationToken cancellationToken)
    {
        while (true)
        {
            var task = await reading.FindAsync(
                ClientCall.Read(member, taskId), taskId, cancellationToken).ConfigureAwait(false);
            var changed = checker.Prepare(change(task.Definition) ?? throw new TaskValidationException(
                taskId,
                ["change returned null; it must return a definition, the unchanged one to change nothing."]));
            if (changed.Id != taskId)
            {
                throw new TaskValidationException(taskId, ["id must not change."]);
            }

            var answer = await calls.AskAsync(
                ClientCall.Write(member, taskId),
                (changed, task.Revision),
                static (store, asked, token) =>
                    store.UpdateAsync(asked.changed, asked.Revision, CallContext.Empty, token),
                cancellationToken).ConfigureAwait(false);
            switch (answer.Result)
            {
                case UpdateResult.Updated:
                    return await reading.FindAsync(
                        ClientCall.Write(member, taskId), taskId, cancellationToken).ConfigureAwait(false);
                case UpdateResult.Missing:
                    throw new TaskNotFoundException(taskId);
                case UpdateResult.Refused:
                    throw new TaskValidationException(taskId, answer.Faults);
                default:
                    // Another caller was faster: apply the change to the new definition.
                    continue;
            }
        }
    }
}
