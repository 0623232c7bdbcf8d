using System.Globalization;
using System.Text;
using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Scheduling;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Templates;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The door to every store: makes a definition complete and refuses what cannot be run or stored, naming everything that is wrong
/// in one error. Stores take only what came through here, so that all of them refuse the same things.
/// </summary>
public sealed class TaskDefinitionChecker
{
    private readonly KaijuTasksOptions _options;
    private readonly TaskLimits _limits;
    private readonly JsonSerializerOptions _serializing;
    private readonly JsonSerializerOptions _dataSerializing;
    private readonly SpecialCommandRegistry _specials;
    private readonly IdSource _ids;

    internal TaskDefinitionChecker(KaijuTasksOptions options, SpecialCommandRegistry specials, IdSource ids)
    {
        _options = options;
        _limits = options.Limits;
        _serializing = options.SerializerOptions;
        _dataSerializing = TaskTemplateConverter.OfData(options.SerializerOptions);
        _specials = specials;
        _ids = ids;
    }

    /// <summary>The definition with its id, app, timeout and kws filled in and all objects written as JSON.</summary>
    /// <param name="definition">What the caller asks for.</param>
    /// <exception cref="TaskValidationException">It cannot be run or stored.</exception>
    public TaskDefinition Prepare(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var faults = new List<string>();
        Exception? cause = null;
        CheckPresence(definition, faults);
        var complete = faults.Count == 0 ? Complete(definition, faults, ref cause) : definition;
        if (faults.Count == 0)
        {
            CheckTexts(complete, isStored: false, faults);
            CheckNumbers(complete, faults);
            CheckSchedule(complete, faults);
            CheckJson("kws", complete.KwsJson, _limits.MaxKwsBytes, faults);
            CheckJson("meta", complete.MetaJson, _limits.MaxKwsBytes, faults);
            CheckCommands(complete, faults);
            CheckSize(complete, faults);
        }

        return faults.Count == 0 ? complete : throw new TaskValidationException(definition.Id, faults, cause);
    }

    /// <summary>
    /// A stored task of somewhere else, complete for <see cref="ITaskSteering.ImportAsync"/>. What cannot be stored is refused; what the
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

        var faults = new List<string>();
        Exception? cause = null;
        CheckPresence(task.Definition, faults);
        var definition = task.IsForeign ? TaskImport.Normalize(task.Definition) : task.Definition;
        var complete = faults.Count == 0 ? Complete(definition, faults, ref cause) : definition;
        if (faults.Count == 0)
        {
            CheckTexts(complete, isStored: true, faults);
            CheckSchedule(complete, faults);
            CheckJson("kws", complete.KwsJson, int.MaxValue, faults);
            CheckJson("meta", complete.MetaJson, int.MaxValue, faults);
            for (var stage = 0; stage < complete.Commands.Count; stage++)
            {
                var command = complete.Commands[stage];
                CheckStored($"commands[{stage}].params", command.ParamsJson, faults);
                CheckStored($"commands[{stage}].condition", command.Condition?.Json ?? default, faults);
            }

            for (var stage = 0; stage < task.Result.Count; stage++)
            {
                CheckStored($"result[{stage}]", task.Result[stage], faults);
            }

            CheckStored("error", task.Error?.Json ?? default, faults);
            if (complete.Commands.Count == 0)
            {
                faults.Add("commands has no entries; it must have at least 1.");
            }
        }

        return faults.Count == 0
            ? Owned(task, complete)
            : throw new TaskValidationException(task.Definition.Id, faults, cause);
    }

    /// <summary>For stores: refuses a definition that did not come from <see cref="Prepare"/>.</summary>
    /// <param name="definition">The definition.</param>
    /// <exception cref="ArgumentException">It is not complete.</exception>
    public static void ThrowIfNotPrepared(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (string.IsNullOrEmpty(definition.Id) || definition.AppName is null || definition.MaxExecTimeout is null || definition.Commands.Count == 0
            || definition.KwsJson.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException(
                $"The task {JsonText.Quote(definition.Id ?? "")} is not complete. Stores take definitions that {nameof(TaskDefinitionChecker)}.{nameof(Prepare)} has returned.",
                nameof(definition));
        }
    }

    internal JsonElement CheckMessage(string taskId, JsonElement message)
    {
        const string Place = "message";
        try
        {
            var data = JsonText.OrNull(new JsonInput(message).Owned(_serializing, Place));
            var fault = JsonText.FindFault(
                JsonText.Raw(data), _limits.MaxResultBytes, _limits.MaxJsonDepth, Place, showsValues: true);
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
        Managed = task.Error is { } error ? task.Managed with { Error = TaskError.FromJson(error.Json.Clone()) } : task.Managed,
    };

    private static void CheckPresence(TaskDefinition definition, List<string> faults)
    {
        if (definition.Commands is null)
        {
            faults.Add("commands is null; it must be a list of commands.");
            return;
        }

        for (var stage = 0; stage < definition.Commands.Count; stage++)
        {
            var command = definition.Commands[stage];
            if (command?.Method is null)
            {
                faults.Add(command is null ? $"commands[{stage}] is null; it must be a command." : $"commands[{stage}].method is null; it must be text.");
            }
        }
    }

    private TaskDefinition Complete(TaskDefinition definition, List<string> faults, ref Exception? cause)
    {
        var commands = new TaskCommand[definition.Commands.Count];
        for (var stage = 0; stage < commands.Length; stage++)
        {
            try
            {
                commands[stage] = definition.Commands[stage].Owned(_serializing);
            }
            catch (UnwritableException e)
            {
                commands[stage] = definition.Commands[stage];
                faults.Add(e.Within($"commands[{stage}]").Fault);
                cause ??= e.InnerException;
            }
        }

        var kws = Owned(definition.KwsInput, "kws", faults, ref cause);
        return definition with
        {
            Id = definition.Id ?? _ids.NewId().ToString(),
            AppName = definition.AppName ?? _options.AppName,
            MaxExecTimeout = definition.MaxExecTimeout ?? _limits.DefaultExecTimeout,
            KwsJson = JsonText.IsNothing(kws) ? JsonText.EmptyObject : kws,
            MetaJson = Owned(definition.MetaInput, "meta", faults, ref cause),
            CronTimeZone = CronSchedule.StoredZone(definition.CronTimeZone),
            Commands = commands,
        };
    }

    private JsonElement Owned(JsonInput input, string member, List<string> faults, ref Exception? cause)
    {
        try
        {
            return input.Owned(_dataSerializing, member);
        }
        catch (UnwritableException e)
        {
            faults.Add(e.Fault);
            cause ??= e.InnerException;
            return default;
        }
    }

    private void CheckTexts(TaskDefinition task, bool isStored, List<string> faults)
    {
        CheckName("id", task.Id, _limits.MaxIdLength, isStored, faults);
        CheckName("app_name", task.AppName, TaskLimits.MaxNameLength, isStored, faults);
        CheckName("next_task", task.NextTask, TaskLimits.MaxNameLength, isStored, faults);
        CheckName("group", task.Group, TaskLimits.MaxNameLength, isStored, faults);
        CheckName("group_id", task.GroupId, TaskLimits.MaxNameLength, isStored, faults);
        CheckName("user_id", task.UserId, TaskLimits.MaxNameLength, isStored, faults);
        if (task.Description is { } description && JsonText.FindFault(description) is { } fault)
        {
            faults.Add($"description {fault}");
        }
    }

    private static void CheckName(string member, string? name, int longest, bool isStored, List<string> faults)
    {
        if (name is null)
        {
            return;
        }

        if (name.Length == 0 || name.Length > longest)
        {
            faults.Add($"{member} is {JsonText.Quote(name)} with {name.Length} characters; it must have 1 to {longest}.");
        }
        else if (HasControl(name))
        {
            faults.Add($"{member} has a control character; it must have none.");
        }
        else if (JsonText.FindFault(name) is { } fault)
        {
            faults.Add($"{member} {fault}");
        }

        // Nobody can see it. A stored task of elsewhere may have one.
        if (!isStored && name.Length > 0 && string.IsNullOrWhiteSpace(name))
        {
            faults.Add($"{member} is {JsonText.Quote(name)}; it must not be blank.");
        }
    }

    private static bool HasControl(ReadOnlySpan<char> name)
    {
        foreach (var character in name)
        {
            if (char.IsControl(character))
            {
                return true;
            }
        }

        return false;
    }

    private void CheckNumbers(TaskDefinition task, List<string> faults)
    {
        CheckSeconds("max_exec_timeout", task.MaxExecTimeout, _limits.MinExecTimeout, _limits.MaxExecTimeout, faults);
        CheckSeconds("retry_delay", task.RetryDelay, TimeSpan.Zero, _limits.MaxWait, faults);
        if (task.MaxRetries < 0 || task.MaxRetries > _limits.MaxRetries)
        {
            faults.Add($"max_retries is {task.MaxRetries}; it must be from 0 to {_limits.MaxRetries}.");
        }

        if (!Enum.IsDefined(task.RestartPolicy))
        {
            faults.Add($"restart_policy is {(int)task.RestartPolicy}; it must be one of {Words<RestartPolicy>.All}.");
        }
    }

    private static void CheckSeconds(string member, TimeSpan? value, TimeSpan least, TimeSpan most, List<string> faults)
    {
        if (value < least || value > most)
        {
            faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{member} is {value.Value.TotalSeconds}; it must be from {least.TotalSeconds} to {most.TotalSeconds} seconds."));
        }
    }

    private static void CheckSchedule(TaskDefinition task, List<string> faults)
    {
        if (task.Cron is null)
        {
            if (task.CronTimeZone is not null)
            {
                faults.Add($"cron_time_zone is {JsonText.Quote(task.CronTimeZone)} without a cron; give both or neither.");
            }

            return;
        }

        try
        {
            if (CronSchedule.Parse(task.Cron, task.CronTimeZone).Next(DateTimeOffset.UnixEpoch) is null)
            {
                faults.Add($"cron {JsonText.Quote(task.Cron)} never occurs.");
            }
        }
        catch (FormatException e)
        {
            faults.Add(e.Message);
        }
    }

    private void CheckJson(string member, JsonElement json, int maxBytes, List<string> faults)
    {
        if (JsonText.IsNothing(json))
        {
            return;
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"{member} is {JsonText.Show(json)}; it must be an object.");
        }
        else if (JsonText.FindFault(JsonText.Raw(json), maxBytes, _limits.MaxJsonDepth, member, showsValues: true) is { } fault)
        {
            faults.Add(fault);
        }
    }

    private void CheckStored(string place, JsonElement value, List<string> faults)
    {
        if (value.ValueKind != JsonValueKind.Undefined
            && JsonText.FindFault(JsonText.Raw(value), int.MaxValue, _limits.MaxJsonDepth, place, showsValues: true) is { } fault)
        {
            faults.Add(fault);
        }
    }

    private void CheckCommands(TaskDefinition task, List<string> faults)
    {
        if (task.Commands.Count == 0 || task.Commands.Count > _limits.MaxStages)
        {
            faults.Add($"commands has {task.Commands.Count} entries; it must have 1 to {_limits.MaxStages}.");
        }

        var checker = new CommandChecker(_limits, _specials, faults);
        for (var stage = 0; stage < Math.Min(task.Commands.Count, _limits.MaxStages); stage++)
        {
            checker.Check(task.Commands[stage], stage);
        }
    }

    private void CheckSize(TaskDefinition task, List<string> faults)
    {
        var bytes = JsonText.Size(task.KwsJson) + JsonText.Size(task.MetaJson) + Size(task.Description) + task.Commands.Sum(command =>
            Size(command.Method) + JsonText.Size(command.ParamsJson) + JsonText.Size(command.Condition?.Json ?? default));
        if (bytes > _limits.MaxDefinitionBytes)
        {
            faults.Add($"The definition is {bytes} bytes of JSON; at most {_limits.MaxDefinitionBytes} are allowed.");
        }
    }

    private static long Size(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);
}
