using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Validation;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// Completes and validates definitions before they are stored. One exception names all faults of a definition. Stores
/// accept only definitions from here, so that all stores refuse the same ones.
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

    /// <summary>Returns the definition with all defaults filled in and all objects written as JSON.</summary>
    /// <param name="definition">The caller's definition.</param>
    /// <exception cref="TaskValidationException">The definition is invalid.</exception>
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
    /// Returns a task of another store with a complete definition. The rules for new tasks, such as most limits of this
    /// host, do not apply, since the task has run elsewhere.
    /// </summary>
    /// <param name="task">The task of another store.</param>
    /// <exception cref="TaskValidationException">The task cannot be stored.</exception>
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

        var waiting = task.Waiting is { } next ? PrepareWaiting(next with { Id = complete.Id }, faults) : null;
        faults.ThrowIfAny(task.Definition.Id);
        return Owned(task, complete) with { Waiting = waiting };
    }

    /// <summary>Throws if a definition did not come from <see cref="Prepare"/>; for stores.</summary>
    /// <param name="definition">The definition.</param>
    /// <exception cref="ArgumentException">The definition is not complete.</exception>
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

    /// <summary>Completes the definition that waits for the next run of an imported task.</summary>
    private TaskDefinition PrepareWaiting(TaskDefinition waiting, DefinitionFaults faults)
    {
        var found = new DefinitionFaults();
        var complete = _completion.Complete(waiting, maxRetries: 0, found);
        if (found.All.Count == 0)
        {
            _rules.CheckStored(complete, [], null, found);
        }

        foreach (var fault in found.All)
        {
            faults.Add($"waiting.{fault}");
        }

        return complete;
    }

    /// <summary>Returns the record with copies of its JSON, so that the caller may dispose of the document.</summary>
    private static TaskRecord Owned(TaskRecord task, TaskDefinition definition) => task with
    {
        Definition = definition,
        Result = [.. task.Result.Select(json => JsonText.OrNull(JsonText.Owned(json)))],
        Managed = task.Error is { } error
            ? task.Managed with { Error = TaskError.FromJson(error.Json.Clone()) }
            : task.Managed,
    };
}
