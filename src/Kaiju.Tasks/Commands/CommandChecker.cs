using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Commands;

/// <summary>Validates one command before its task is stored.</summary>
internal sealed class CommandChecker(TaskLimits limits, SpecialCommandRegistry specials, List<string> faults)
{
    public void Check(TaskCommand command, int stage)
    {
        var place = $"commands[{stage}]";
        var references = new List<TemplateReference>();
        CheckMethod(command, place, references);
        if (CheckJson($"{place}.params", command.ParamsJson))
        {
            CheckTemplate($"{place}.params", command.ParamsJson, references);
        }

        CheckCondition(command, place, references);
        CheckTimeout(command, place);
        CheckReferences(references, stage);
        if (specials.Find(command.Method) is { } special)
        {
            faults.AddRange(special.Check(command, limits).Select(fault => $"{place}.{fault}"));
        }
    }

    private void CheckMethod(TaskCommand command, string place, List<TemplateReference> references)
    {
        if (CommandName.FindFault(command.Method) is { } fault)
        {
            faults.Add($"{place}.method {fault}");
        }
        else if (!Template.IsPlain(command.Method))
        {
            CheckTemplate($"{place}.method", JsonWriting.Text(command.Method), references);
        }
    }

    private bool CheckJson(string place, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            return false;
        }

        var fault = StorableJson.FindFault(
            JsonText.Raw(json), limits.MaxParamsBytes, limits.MaxJsonDepth, place, showsValues: true);
        if (fault is not null)
        {
            faults.Add(fault);
            return false;
        }

        return true;
    }

    private void CheckTemplate(string place, JsonElement json, List<TemplateReference> references)
    {
        if (CompiledCommand.IsPlain(json))
        {
            return;
        }

        var found = new List<TemplateFault>();
        if (Template.TryParse(json, place, found, out var template))
        {
            references.AddRange(template!.References);
        }

        faults.AddRange(found.Select(fault => fault.Message));
    }

    private void CheckCondition(TaskCommand command, string place, List<TemplateReference> references)
    {
        place += ".condition";
        if (command.Condition is not { } condition || !CheckJson(place, condition.Json))
        {
            return;
        }

        CheckTemplate(place, condition.Json, references);
        var found = new List<TemplateFault>();
        ConditionCheck.Check(condition.Json, place, found, references);
        faults.AddRange(found.Select(fault => fault.Message));
    }

    private void CheckTimeout(TaskCommand command, string place)
    {
        var most = specials.Find(command.Method)?.LongestTimeout(limits) ?? limits.MaxExecTimeout;
        if (command.MaxTimeout <= TimeSpan.Zero || command.MaxTimeout > most)
        {
            faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{place}.max_timeout is {command.MaxTimeout.Value.TotalSeconds}; it must be more than 0 and at most "
                    + $"{most.TotalSeconds} seconds."));
        }
    }

    // A run only moves forward, so such a value never exists, even with a default or in a condition. See
    // docs/decisions/0002.
    private void CheckReferences(List<TemplateReference> references, int stage)
    {
        foreach (var reference in references)
        {
            if (reference.Path is [var first, ..] && IsStage(first, out var other) && other >= stage)
            {
                faults.Add(
                    $"{reference.Place} refers to the result of stage {other}, which does not exist yet when stage "
                        + $"{stage} runs; only earlier stages can be referred to.");
            }
        }
    }

    private static bool IsStage(string part, out int stage) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out stage) && (part == "0"
            || part[0] != '0');
}
