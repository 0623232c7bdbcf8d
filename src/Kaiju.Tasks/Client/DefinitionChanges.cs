using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Changes definitions: reads one, lets the caller change it, and stores it unless another caller was faster.
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
                ["change returned null; it must return a definition, and the one it was given to change nothing."]));
            if (changed.Id != taskId)
            {
                throw new TaskValidationException(taskId, ["id can never change."]);
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
                    // Somebody else was faster: their change is the one to build on.
                    continue;
            }
        }
    }
}
