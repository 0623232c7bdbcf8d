using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Changes definitions: reads one, applies the caller's change and stores it. Repeats this if another caller was
/// faster.
/// </summary>
internal sealed class DefinitionChanges(ClientCalls calls, ClientReading reading, TaskDefinitionChecker checker)
{
    /// <summary>Checks the changes of a retry like those of a definition, and writes them as JSON.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The stage is negative.</exception>
    /// <exception cref="TaskValidationException">The changed definition is invalid.</exception>
    public async Task<RetryChange> CheckAsync(
        string member, string taskId, RetryOptions options, CancellationToken cancellationToken)
    {
        if (options.FromStage is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(given, nameof(RetryOptions.FromStage));
        }

        var isUnchanged = options.ParamsInput.Given is null && options.KwsInput.Given is null;
        var task = isUnchanged
            ? null
            : await calls.AskAsync(
                ClientCall.Read(member, taskId),
                taskId,
                static (store, id, token) => store.GetAsync(id, token),
                cancellationToken).ConfigureAwait(false);
        if (task is null)
        {
            return new RetryChange { FromStage = options.FromStage };
        }

        // The store refuses a stage that the run has not reached, whatever its params are.
        var failed = task.State == TaskState.Idle ? task.Result.Count : task.Stage;
        var stage = options.FromStage ?? failed;
        if (stage >= task.Stages)
        {
            return new RetryChange { FromStage = stage };
        }

        var (hasParams, hasKws) = (options.ParamsInput.Given is not null, options.KwsInput.Given is not null);
        var commands = task.Definition.Commands.ToArray();
        commands[stage] = hasParams ? commands[stage].WithParams(options.ParamsInput) : commands[stage];
        var changed = checker.Prepare((task.Definition with { Commands = commands })
            .WithKws(hasKws ? options.KwsInput : task.Definition.KwsInput));
        return new RetryChange
        {
            FromStage = stage,
            Params = hasParams ? changed.Commands[stage].ParamsJson : default,
            Kws = hasKws ? changed.KwsJson : default,
        };
    }

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
