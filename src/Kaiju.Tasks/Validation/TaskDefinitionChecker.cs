using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Validation;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The door to every store: makes a definition complete and refuses what cannot be run or stored, naming everything
/// that is wrong in one error. Stores take only what came through here, so that all of them refuse the same things.
/// </summary>
public sealed class TaskDefinitionChecker
{
    private readonly KaijuTasksOptions _options;
    private readonly DefinitionCompletion _completion;
    private readonly DefinitionRules _rules;

    internal TaskDefinitionChecker(KaijuTasksOptions options, SpecialCommandRegistry specials, IdSource ids)
    {
        _options = options;
        _completion = new DefinitionCompletion(options, ids);
        _rules = new DefinitionRules(options.Limits, specials);
    }

    /// <summary>The definition with its id, app, timeout and kws filled in and all objects written as JSON.</summary>
    /// <param name="definition">What the caller asks for.</param>
    /// <exception cref="TaskValidationException">It cannot be run or stored.</exception>
    public TaskDefinition Prepare(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var faults = new DefinitionFaults();
        var complete = _completion.Complete(definition, _options.DefaultMaxRetries, faults);
        if (faults.All.Count == 0)
        {
            _rules.Check(complete, faults);
        }

        faults.ThrowIfAny(definition.Id);
        return complete;
    }

    /// <summary>
    /// A stored task of somewhere else, complete for a store. What cannot be stored is refused; what the
    /// limits and languages of this host would refuse at creation is kept as it is, since it has run elsewhere.
    /// </summary>
    /// <param name="task">The stored task.</param>
    /// <exception cref="TaskValidationException">It cannot be stored.</exception>
    public TaskRecord PrepareImport(TaskRecord task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (task.Definition is null || task.Managed is null || task.Result is null)
        {
            throw new TaskValidationException(
                task.Definition?.Id,
                ["The record lacks its Definition, its Managed or its Result; a stored task has all three."]);
        }

        var faults = new DefinitionFaults();
        var definition = task.IsForeign ? TaskImport.Normalize(task.Definition) : task.Definition;
        var complete = _completion.Complete(definition, maxRetries: 0, faults);
        if (faults.All.Count == 0)
        {
            _rules.CheckStored(complete, task.Result, task.Error, faults);
        }

        faults.ThrowIfAny(task.Definition.Id);
        return Owned(task, complete);
    }

    /// <summary>For stores: refuses a definition that did not come from <see cref="Prepare"/>.</summary>
    /// <param name="definition">The definition.</param>
    /// <exception cref="ArgumentException">It is not complete.</exception>
    public static void ThrowIfNotPrepared(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (string.IsNullOrEmpty(definition.Id) || definition.AppName is null || definition.MaxExecTimeout is null
            || definition.Commands.Count == 0
            || definition.KwsJson.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException(
                $"The task {JsonText.Quote(definition.Id ?? "")} is not complete. Stores take definitions that "
                    + $"{nameof(TaskDefinitionChecker)}.{nameof(Prepare)} has returned.",
                nameof(definition));
        }
    }

    internal JsonElement CheckMessage(string taskId, JsonElement message)
    {
        const string Place = "message";
        try
        {
            var data = JsonText.OrNull(new JsonInput(message).Owned(_options.SerializerOptions, Place));
            var fault = StorableJson.FindFault(
                JsonText.Raw(data),
                _options.Limits.MaxResultBytes,
                _options.Limits.MaxJsonDepth,
                Place,
                showsValues: true);
            return fault is null ? data : throw new TaskValidationException(taskId, [fault]);
        }
        catch (UnwritableException e)
        {
            throw e.ForCaller(taskId);
        }
    }

    /// <summary>The record with what is its own, so that the caller's JSON may be disposed of.</summary>
    private static TaskRecord Owned(TaskRecord task, TaskDefinition definition) => task with
    {
        Definition = definition,
        Result = [.. task.Result.Select(json => JsonText.OrNull(JsonText.Owned(json)))],
        Managed = task.Error is { } error
            ? task.Managed with { Error = TaskError.FromJson(error.Json.Clone()) }
            : task.Managed,
    };
}
