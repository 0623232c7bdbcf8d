using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The faults of a condition's grammar, with the same texts at a task's creation and in its run.</summary>
internal static class ConditionFaults
{
    public const string AggregateShape = "\"agg\" wants an object with a function, such as {\"sum\": {\"gt\": 5}}.";

    private const string SchemaShape =
        "a schema is an object of tests, such as {\"0.total\": {\"gt\": 5}}, or an array of alternatives.";

    private const string CommandShape =
        "a condition is {\"schema\": …} and nothing else; with null, false or {} the command always runs.";

    private const string NestedShape =
        "a schema inside a schema, as a condition built from a Template object is stored; give the inner one.";

    public static string UnknownOperator(string name) =>
        $"there is no operator \"{ErrorText.Cut(name, 40)}\". There are {ConditionOperators.List}, not, and agg.";

    public static string UnknownFunction(string name) =>
        $"there is no aggregate function \"{ErrorText.Cut(name, 40)}\". There are {ConditionAggregates.List}.";

    public static TemplateFault NoSchema(TemplatePlace place, JsonElement json) => Invalid(place, json, SchemaShape);

    public static TemplateFault NoCondition(TemplatePlace place, JsonElement json) =>
        Invalid(place, json, CommandShape);

    public static TemplateFault NestedSchema(TemplatePlace place, JsonElement json) =>
        Invalid(place, json, NestedShape);

    public static TemplateFault Aggregate(TemplatePlace place, JsonElement json) =>
        Invalid(place, json, AggregateShape);

    public static TemplateFault Of(TemplatePlace place, JsonElement json, string kind, string reason) =>
        new(place, ErrorText.Of(json), kind, reason);

    private static TemplateFault Invalid(TemplatePlace place, JsonElement json, string reason) =>
        Of(place, json, TemplateErrorKind.InvalidCondition, reason);
}
