using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>Evaluates a condition's schema, with its templates filled, over data.</summary>
/// <remarks>
/// The parts are evaluated in order, until one decides the result. <see cref="ConditionCheck"/> checks all parts when a
/// task is created.
/// </remarks>
internal sealed class Condition
{
    private readonly JsonElement _schema;
    private readonly TemplatePlace _place;

    private Condition(JsonElement schema, TemplatePlace place) => (_schema, _place) = (schema, place);

    /// <summary>Reads a filled schema: an object of tests, or an array of alternatives.</summary>
    /// <exception cref="TemplateException">The schema is neither.</exception>
    public static Condition Parse(JsonElement schema, string place = "$") => Parse(schema, TemplatePlace.Root(place));

    public static Condition Parse(JsonElement schema, TemplatePlace place) =>
        schema.ValueKind is JsonValueKind.Object or JsonValueKind.Array
            ? new Condition(schema, place)
            : throw new TemplateException(
                ConditionFaults.NoSchema(place, schema).OfFilled(schema), TemplatePhase.Condition);

    /// <exception cref="TemplateException">
    /// The condition cannot be evaluated over this data, or the budget is exhausted.
    /// </exception>
    public bool Evaluate(TemplateData data, TemplateBudget budget)
    {
        var evaluation = new Evaluation(data, budget, TemplatePhase.Condition);
        return Holds(_schema, _place, evaluation, 1);
    }

    private static bool Holds(JsonElement schema, TemplatePlace place, Evaluation evaluation, int depth)
    {
        Enter(schema, place, evaluation, depth);
        return schema.ValueKind switch
        {
            JsonValueKind.Array => AnyHolds(schema, place, evaluation, depth),
            JsonValueKind.Object when evaluation.TryGetMember(schema, "not", out var negated) =>
                !Holds(negated, place.Member("not"), evaluation, depth + 1),
            JsonValueKind.Object => AllHold(schema, place, evaluation, depth),
            _ => throw new TemplateException(
                ConditionFaults.NoSchema(place, schema).OfFilled(schema), TemplatePhase.Condition),
        };
    }

    private static bool AnyHolds(JsonElement alternatives, TemplatePlace place, Evaluation evaluation, int depth)
    {
        var index = 0;
        foreach (var alternative in alternatives.EnumerateArray())
        {
            if (Holds(alternative, place.Item(index++), evaluation, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private static bool AllHold(JsonElement tests, TemplatePlace place, Evaluation evaluation, int depth)
    {
        foreach (var test in tests.EnumerateObject())
        {
            var path = evaluation.ReadName(test);
            var testPlace = place.Member(path);
            evaluation.At(testPlace, test.Value);
            var value = new FieldPath(path, '.').Find(evaluation, TemplateValue.Null);
            if (!Passes(value, test.Value, testPlace, evaluation, depth + 1))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Passes(
        TemplateValue value, JsonElement test, TemplatePlace place, Evaluation evaluation, int depth)
    {
        Enter(test, place, evaluation, depth);
        return test.ValueKind switch
        {
            JsonValueKind.Array => PassesAny(value, test, place, evaluation, depth),
            JsonValueKind.Object when evaluation.TryGetMember(test, "not", out var negated) =>
                !Passes(value, negated, place.Member("not"), evaluation, depth + 1),
            JsonValueKind.Object when evaluation.TryGetMember(test, "agg", out var aggregates) =>
                PassesAggregate(value, aggregates, place.Member("agg"), evaluation, depth + 1),
            JsonValueKind.Object => PassesAll(value, test, evaluation),
            _ => PythonComparison.Equal(value, new TemplateValue(test), evaluation),
        };
    }

    private static bool PassesAny(
        TemplateValue value, JsonElement tests, TemplatePlace place, Evaluation evaluation, int depth)
    {
        var index = 0;
        foreach (var test in tests.EnumerateArray())
        {
            if (Passes(value, test, place.Item(index++), evaluation, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private static bool PassesAll(TemplateValue value, JsonElement operators, Evaluation evaluation)
    {
        foreach (var operation in operators.EnumerateObject())
        {
            evaluation.Step();
            if (!ConditionOperators.Apply(
                evaluation.ReadName(operation), value, new TemplateValue(operation.Value), evaluation))
            {
                return false;
            }
        }

        return true;
    }

    private static bool PassesAggregate(
        TemplateValue value, JsonElement aggregates, TemplatePlace place, Evaluation evaluation, int depth)
    {
        evaluation.At(place, aggregates);
        if (aggregates.ValueKind != JsonValueKind.Object || aggregates.GetPropertyCount() == 0)
        {
            throw evaluation.Fail(TemplateErrorKind.InvalidCondition, ConditionFaults.AggregateShape);
        }

        // Only the first function is evaluated, as in the original.
        var first = aggregates.EnumerateObject().First();
        var name = evaluation.ReadName(first);
        var aggregate = ConditionAggregates.Apply(name, value, evaluation);
        return Passes(aggregate, first.Value, place.Member(name), evaluation, depth + 1);
    }

    private static void Enter(JsonElement part, TemplatePlace place, Evaluation evaluation, int depth)
    {
        evaluation.At(place, part);
        evaluation.Step();
        if (part.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
        {
            evaluation.RequireDepth(depth);
        }
    }
}
