using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Validation;

/// <summary>
/// Completes a definition: fills in its id, app, timeout, retries and kws, and writes all objects as JSON.
/// </summary>
internal sealed class DefinitionCompletion(KaijuTasksOptions options, IdSource ids)
{
    private readonly JsonSerializerOptions _serializing = options.SerializerOptions;
    private readonly JsonSerializerOptions _dataSerializing = TaskTemplateConverter.OfData(options.SerializerOptions);

    /// <summary>
    /// The complete definition; the same one if a command or a method is null, since it cannot be completed then.
    /// </summary>
    /// <param name="definition">The definition.</param>
    /// <param name="maxRetries">The largest number of retries of a definition that does not set it.</param>
    /// <param name="faults">The list to which faults are added.</param>
    public TaskDefinition Complete(TaskDefinition definition, int maxRetries, DefinitionFaults faults)
    {
        CheckPresence(definition, faults);
        if (faults.All.Count > 0)
        {
            return definition;
        }

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
                faults.Add(e.Within($"commands[{stage}]").Fault, e.InnerException);
            }
        }

        var kws = Owned(definition.KwsInput, "kws", faults);
        return definition with
        {
            Id = definition.Id ?? ids.NewId().ToString(),
            AppName = definition.AppName ?? options.AppName,
            MaxExecTimeout = definition.MaxExecTimeout ?? options.Limits.DefaultExecTimeout,
            MaxRetries = definition.MaxRetries ?? maxRetries,
            KwsJson = JsonText.IsNothing(kws) ? JsonText.EmptyObject : kws,
            MetaJson = Owned(definition.MetaInput, "meta", faults),
            CronTimeZone = CronSchedule.StoredZone(definition.CronTimeZone),
            Commands = commands,
        };
    }

    private static void CheckPresence(TaskDefinition definition, DefinitionFaults faults)
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
                faults.Add(command is null
                    ? $"commands[{stage}] is null; it must be a command."
                    : $"commands[{stage}].method is null; it must be text.");
            }
        }
    }

    private JsonElement Owned(JsonInput input, string member, DefinitionFaults faults)
    {
        try
        {
            return input.Owned(_dataSerializing, member);
        }
        catch (UnwritableException e)
        {
            faults.Add(e.Fault, e.InnerException);
            return default;
        }
    }
}
