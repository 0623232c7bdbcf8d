using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Checks a command's condition when a task is created, for faults that do not depend on its templates.
/// </summary>
/// <remarks>
/// A template can become any value, so it is not checked. <see cref="Template.TryParse"/> reports the faults of
/// strings. Siblings of <c>not</c> and <c>agg</c> are ignored, as they are when the condition is evaluated.
/// </remarks>
internal sealed class ConditionCheck
{
    private readonly ICollection<TemplateFault> _faults;
    private readonly ICollection<TemplateReference> _references;
    private int _faultCount;

    private ConditionCheck(ICollection<TemplateFault> faults, ICollection<TemplateReference> references) =>
        (_faults, _references) = (faults, references);

    /// <summary>
    /// Finds the faults, up to <see cref="TemplateParser.MostFaults"/>, and the paths that the condition reads.
    /// </summary>
    /// <param name="condition">The raw <c>condition</c> member of a command; undefined if it has none.</param>
    /// <param name="place">The name of the member in faults.</param>
    /// <param name="faults">The list to which faults are added.</param>
    /// <param name="references">
    /// The list to which the condition's keys are added. The paths of its templates are not among them.
    /// </param>
    /// <returns>True if no fault was found.</returns>
    public static bool Check(
        JsonElement condition,
        string place,
        ICollection<TemplateFault> faults,
        ICollection<TemplateReference> references)
    {
        var check = new ConditionCheck(faults, references);
        check.CheckCommand(condition, TemplatePlace.Root(place));
        return check._faultCount == 0;
    }

    private void CheckCommand(JsonElement condition, TemplatePlace place)
    {
        if (AlwaysRuns(condition) || MayBeAnything(condition))
        {
            return;
        }

        var members = Members(condition);
        if (!members.TryGetValue("schema", out var schema) || members.Count > 1)
        {
            Report(ConditionFaults.NoCondition(place, condition));
            return;
        }

        if (Members(schema) is var inner && inner.ContainsKey("schema") && inner.ContainsKey("keys"))
        {
            Report(ConditionFaults.NestedSchema(place, condition));
            return;
        }

        CheckSchema(schema, place.Member("schema"), 1);
    }

    private void CheckSchema(JsonElement schema, TemplatePlace place, int depth)
    {
        if (MayBeAnything(schema) || IsTooDeep(schema, place, depth))
        {
            return;
        }

        switch (schema.ValueKind)
        {
            case JsonValueKind.Array:
                CheckItems(schema, place, (item, itemPlace) => CheckSchema(item, itemPlace, depth + 1));
                break;
            case JsonValueKind.Object when Members(schema) is var members
                && members.TryGetValue("not", out var negated):
                CheckSchema(negated, place.Member("not"), depth + 1);
                break;
            case JsonValueKind.Object:
                CheckPaths(schema, place, depth);
                break;
            default:
                Report(ConditionFaults.NoSchema(place, schema));
                break;
        }
    }

    private void CheckPaths(JsonElement tests, TemplatePlace place, int depth)
    {
        foreach (var (path, test) in Members(tests))
        {
            var testPlace = place.Member(path);
            _references.Add(
                new TemplateReference(
                    testPlace, ReferenceKind.Condition, new FieldPath(path, '.').Parts, hasDefault: true));
            CheckTest(test, testPlace, depth + 1);
        }
    }

    private void CheckTest(JsonElement test, TemplatePlace place, int depth)
    {
        if (IsTooDeep(test, place, depth))
        {
            return;
        }

        if (test.ValueKind == JsonValueKind.Array)
        {
            CheckItems(test, place, (item, itemPlace) => CheckTest(item, itemPlace, depth + 1));
            return;
        }

        var members = Members(test);
        if (members.TryGetValue("not", out var negated))
        {
            CheckTest(negated, place.Member("not"), depth + 1);
        }
        else if (members.TryGetValue("agg", out var aggregates))
        {
            CheckAggregate(aggregates, place.Member("agg"), depth + 1);
        }
        else
        {
            foreach (var name in members.Keys.Where(name => !ConditionOperators.IsKnown(name)))
            {
                Report(
                    ConditionFaults.Of(
                        place, test, TemplateErrorKind.UnknownOperator, ConditionFaults.UnknownOperator(name)));
            }
        }
    }

    private void CheckAggregate(JsonElement aggregates, TemplatePlace place, int depth)
    {
        if (MayBeAnything(aggregates))
        {
            return;
        }

        var members = Members(aggregates);
        if (members.Count == 0)
        {
            Report(ConditionFaults.Aggregate(place, aggregates));
            return;
        }

        // Only the first function is evaluated, so only that one is checked.
        var (name, test) = members.GetAt(0);
        if (!ConditionAggregates.IsKnown(name))
        {
            Report(
                ConditionFaults.Of(
                    place, aggregates, TemplateErrorKind.UnknownFunction, ConditionFaults.UnknownFunction(name)));
            return;
        }

        CheckTest(test, place.Member(name), depth + 1);
    }

    private static void CheckItems(JsonElement array, TemplatePlace place, Action<JsonElement, TemplatePlace> check)
    {
        var index = 0;
        foreach (var item in array.EnumerateArray())
        {
            check(item, place.Item(index++));
        }
    }

    private bool IsTooDeep(JsonElement json, TemplatePlace place, int depth)
    {
        if (json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array) || depth <= TemplateBudget.DefaultDepth)
        {
            return false;
        }

        Report(ConditionFaults.Of(
            place,
            json,
            TemplateErrorKind.LimitExceeded,
            $"the condition is nested deeper than {TemplateBudget.DefaultDepth} levels."));
        return true;
    }

    private static bool AlwaysRuns(JsonElement condition) => condition.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => condition.GetArrayLength() == 0,
        JsonValueKind.Object => condition.GetPropertyCount() == 0,
        JsonValueKind.Number => Number.TryRead(condition.GetRawText(), out var number) && number.IsZero,
        JsonValueKind.String => Parse(condition) is { IsText: true, Text: "" },
        _ => false,
    };

    // An operator can give any value. The fault of a text that cannot be parsed is reported already.
    private static bool MayBeAnything(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && Parse(json) is not { IsText: true };

    private static TemplateArgument? Parse(JsonElement text)
    {
        try
        {
            return new OperatorParser(TemplatePlace.Root(""), text.GetString()!, []).Parse();
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate, which is reported as a fault of the template.
            return null;
        }
    }

    /// <summary>The members of an object in their order; none for any other value.</summary>
    private static OrderedDictionary<string, JsonElement> Members(JsonElement json)
    {
        var members = new OrderedDictionary<string, JsonElement>();
        if (json.ValueKind != JsonValueKind.Object)
        {
            return members;
        }

        foreach (var member in json.EnumerateObject())
        {
            try
            {
                members[member.Name] = member.Value;
            }
            catch (InvalidOperationException)
            {
                // A lone surrogate in the name, which is reported as a fault of the template. It is not an operator.
            }
        }

        return members;
    }

    private void Report(TemplateFault fault)
    {
        if (_faultCount++ < TemplateParser.MostFaults)
        {
            _faults.Add(fault);
        }
    }
}
