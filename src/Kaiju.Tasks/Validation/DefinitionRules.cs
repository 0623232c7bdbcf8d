using System.Globalization;
using System.Text;
using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Validation;

/// <summary>The origin of a definition.</summary>
internal enum DefinitionOrigin
{
    /// <summary>A caller creates or changes a task.</summary>
    Caller,

    /// <summary>The task is imported from another store, where it has run.</summary>
    Stored,
}

/// <summary>The rules for complete definitions.</summary>
internal sealed class DefinitionRules(TaskLimits limits, SpecialCommandRegistry specials)
{
    /// <summary>Checks a new definition against all rules.</summary>
    public void Check(TaskDefinition task, DefinitionFaults faults)
    {
        CheckTexts(task, DefinitionOrigin.Caller, faults);
        CheckNumbers(task, faults);
        CheckSchedule(task, faults);
        CheckJson("kws", task.KwsJson, limits.MaxKwsBytes, faults);
        CheckJson("meta", task.MetaJson, limits.MaxKwsBytes, faults);
        CheckCommands(task, faults);
        CheckSize(task, faults);
    }

    /// <summary>
    /// Checks whether an imported task can be stored as it is. The rules for new tasks, such as most limits of this
    /// host, do not apply.
    /// </summary>
    public void CheckStored(
        TaskDefinition task, IReadOnlyList<JsonElement> results, TaskError? error, DefinitionFaults faults)
    {
        CheckTexts(task, DefinitionOrigin.Stored, faults);
        CheckSchedule(task, faults);
        CheckJson("kws", task.KwsJson, int.MaxValue, faults);
        CheckJson("meta", task.MetaJson, int.MaxValue, faults);
        for (var stage = 0; stage < task.Commands.Count; stage++)
        {
            var command = task.Commands[stage];
            CheckStored($"commands[{stage}].params", command.ParamsJson, faults);
            CheckStored($"commands[{stage}].condition", command.Condition?.Json ?? default, faults);
            CheckRetries(
                $"commands[{stage}].", command.MaxRetries, command.RetryDelay, DefinitionOrigin.Stored, faults);
        }

        for (var stage = 0; stage < results.Count; stage++)
        {
            CheckStored($"result[{stage}]", results[stage], faults);
        }

        CheckStored("error", error?.Json ?? default, faults);
        if (task.Commands.Count == 0)
        {
            faults.Add("commands has no entries; it must have at least 1.");
        }
    }

    private void CheckTexts(TaskDefinition task, DefinitionOrigin origin, DefinitionFaults faults)
    {
        CheckName("id", task.Id, limits.MaxIdLength, origin, faults);
        CheckName("app_name", task.AppName, TaskLimits.MaxNameLength, origin, faults);
        CheckName("next_task", task.NextTask, TaskLimits.MaxNameLength, origin, faults);
        CheckName("group", task.Group, TaskLimits.MaxNameLength, origin, faults);
        CheckName("group_id", task.GroupId, TaskLimits.MaxNameLength, origin, faults);
        CheckName("user_id", task.UserId, TaskLimits.MaxNameLength, origin, faults);
        if (task.Description is { } description && StorableText.FindFault(description) is { } fault)
        {
            faults.Add($"description {fault}");
        }
    }

    private static void CheckName(
        string member, string? name, int longest, DefinitionOrigin origin, DefinitionFaults faults)
    {
        if (name is null)
        {
            return;
        }

        if (name.Length == 0 || name.Length > longest)
        {
            faults.Add(
                $"{member} is {JsonText.Quote(name)} with {name.Length} characters; it must have 1 to {longest}.");
        }
        else if (HasControl(name))
        {
            faults.Add($"{member} has a control character; it must have none.");
        }
        else if (StorableText.FindFault(name) is { } fault)
        {
            faults.Add($"{member} {fault}");
        }

        // A blank name is invisible in lists and logs. An imported task may have one.
        if (origin == DefinitionOrigin.Caller && name.Length > 0 && string.IsNullOrWhiteSpace(name))
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

    private void CheckNumbers(TaskDefinition task, DefinitionFaults faults)
    {
        CheckSeconds("max_exec_timeout", task.MaxExecTimeout, limits.MinExecTimeout, limits.MaxExecTimeout, faults);
        CheckRetries("", task.MaxRetries, task.RetryDelay, DefinitionOrigin.Caller, faults);
        if (task.MissedRuns is { } missed && !Enum.IsDefined(missed))
        {
            faults.Add($"missed_runs is {(int)missed}; it must be one of {WireNames<MissedRuns>.All}.");
        }

        if (!Enum.IsDefined(task.RestartPolicy))
        {
            faults.Add(
                $"restart_policy is {(int)task.RestartPolicy}; it must be one of {WireNames<RestartPolicy>.All}.");
        }
    }

    /// <summary>
    /// Checks a budget of retries. An imported one may be greater than this host allows, within what a host can allow.
    /// </summary>
    private void CheckRetries(
        string place, int? maxRetries, TimeSpan? delay, DefinitionOrigin origin, DefinitionFaults faults)
    {
        var isStored = origin == DefinitionOrigin.Stored;
        var most = isStored ? TaskLimits.MostRetries : limits.MaxRetries;
        if (maxRetries < 0 || maxRetries > most)
        {
            faults.Add($"{place}max_retries is {maxRetries}; it must be from 0 to {most}.");
        }

        var longest = isStored ? TaskLimits.LongestWait : limits.MaxWait;
        CheckSeconds($"{place}retry_delay", delay, TimeSpan.Zero, longest, faults);
    }

    private static void CheckSeconds(
        string member, TimeSpan? value, TimeSpan least, TimeSpan most, DefinitionFaults faults)
    {
        if (value < least || value > most)
        {
            faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{member} is {value.Value.TotalSeconds}; "
                + $"it must be from {least.TotalSeconds} to {most.TotalSeconds} seconds."));
        }
    }

    private static void CheckSchedule(TaskDefinition task, DefinitionFaults faults)
    {
        if (task.Cron is null)
        {
            if (task.CronTimeZone is not null)
            {
                faults.Add(
                    $"cron_time_zone is {JsonText.Quote(task.CronTimeZone)} without a cron; give both or neither.");
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

    private void CheckJson(string member, JsonElement json, int maxBytes, DefinitionFaults faults)
    {
        if (JsonText.IsNothing(json))
        {
            return;
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"{member} is {JsonText.Show(json)}; it must be an object.");
        }
        else if (StorableJson.FindFault(
            JsonText.Raw(json), maxBytes, limits.MaxJsonDepth, member, showsValues: true) is { } fault)
        {
            faults.Add(fault);
        }
    }

    private void CheckStored(string place, JsonElement value, DefinitionFaults faults)
    {
        if (value.ValueKind != JsonValueKind.Undefined
            && StorableJson.FindFault(
                JsonText.Raw(value), int.MaxValue, limits.MaxJsonDepth, place, showsValues: true) is { } fault)
        {
            faults.Add(fault);
        }
    }

    private void CheckCommands(TaskDefinition task, DefinitionFaults faults)
    {
        if (task.Commands.Count == 0 || task.Commands.Count > limits.MaxStages)
        {
            faults.Add($"commands has {task.Commands.Count} entries; it must have 1 to {limits.MaxStages}.");
        }

        var checker = new CommandChecker(limits, specials, faults.All);
        for (var stage = 0; stage < Math.Min(task.Commands.Count, limits.MaxStages); stage++)
        {
            var command = task.Commands[stage];
            checker.Check(command, stage);
            CheckRetries(
                $"commands[{stage}].", command.MaxRetries, command.RetryDelay, DefinitionOrigin.Caller, faults);
        }
    }

    private void CheckSize(TaskDefinition task, DefinitionFaults faults)
    {
        var bytes = JsonText.Size(task.KwsJson)
            + JsonText.Size(task.MetaJson) + Size(task.Description) + task.Commands.Sum(command =>
            Size(command.Method)
                + JsonText.Size(command.ParamsJson) + JsonText.Size(command.Condition?.Json ?? default));
        if (bytes > limits.MaxDefinitionBytes)
        {
            faults.Add($"The definition is {bytes} bytes of JSON; at most {limits.MaxDefinitionBytes} are allowed.");
        }
    }

    private static long Size(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);
}
