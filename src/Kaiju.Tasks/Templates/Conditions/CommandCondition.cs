using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>Evaluates the <c>condition</c> member of a command, after the command has been filled.</summary>
internal static class CommandCondition
{
    /// <summary>
    /// True if the command runs. A command without a condition, or with an empty one such as null or <c>{}</c>, runs.
    /// </summary>
    /// <param name="filledCondition">The member; undefined if the command has none.</param>
    /// <param name="data">The environment with which the command was filled.</param>
    /// <param name="budget">The budget with which the command was filled.</param>
    /// <param name="place">The name of the member in errors.</param>
    /// <exception cref="TemplateException">The member is not a condition, or cannot be evaluated.</exception>
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

        // The original stores this for a condition built from a template object, and cannot evaluate it.
        if (schema.ValueKind == JsonValueKind.Object &&
            evaluation.TryGetMember(schema, "schema", out _) && evaluation.TryGetMember(schema, "keys", out _))
        {
            throw new TemplateException(
                ConditionFaults.NestedSchema(root, filledCondition).OfFilled(filledCondition), TemplatePhase.Condition);
        }

        return Condition.Parse(schema, root.Member("schema")).Evaluate(data, budget);
    }
}
