using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The <c>condition</c> member of a command, after the command has been filled.</summary>
internal static class CommandCondition
{
    /// <summary>
    /// Whether the command runs: without a condition, or with a false one such as null or <c>{}</c>, it does.
    /// </summary>
    /// <param name="filledCondition">The member; undefined if the command has none.</param>
    /// <param name="data">The environment that the command was filled over.</param>
    /// <param name="budget">The budget that the command was filled with.</param>
    /// <param name="place">What errors call it.</param>
    /// <exception cref="TemplateException">It is no condition, or cannot be evaluated.</exception>
    public static bool ShouldRun(
        JsonElement filledCondition, TemplateData data, TemplateBudget budget, string place = "condition")
    {
        var root = TemplatePlace.Root(place);
        var evaluation = new Evaluation(data, budget, TemplatePhase.Condition);
        evaluation.At(root, filledCondition);
        if (filledCondition.ValueKind == JsonValueKind.Undefined
            || !new TemplateValue(filledCondition).IsTrue(evaluation))
        {
            return true;
        }

        if (filledCondition.ValueKind != JsonValueKind.Object
            || !evaluation.TryGetMember(filledCondition, "schema", out var schema))
        {
            throw new TemplateException(
                ConditionFaults.NoCondition(root, filledCondition).OfFilled(filledCondition), TemplatePhase.Condition);
        }

        // What the original stores for a condition built from a template object, and cannot evaluate itself.
        if (schema.ValueKind == JsonValueKind.Object &&
            evaluation.TryGetMember(schema, "schema", out _) && evaluation.TryGetMember(schema, "keys", out _))
        {
            throw new TemplateException(
                ConditionFaults.NestedSchema(root, filledCondition).OfFilled(filledCondition), TemplatePhase.Condition);
        }

        return Condition.Parse(schema, root.Member("schema")).Evaluate(data, budget);
    }
}
