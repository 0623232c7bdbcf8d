using System.Collections.Frozen;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// The functions of <c>agg</c>. They use the elements of an array, the keys of an object or the characters of a text.
/// </summary>
internal static class ConditionAggregates
{
    private static readonly FrozenDictionary<string, Func<TemplateValue, Evaluation, TemplateValue>> _functions =
        new Dictionary<string, Func<TemplateValue, Evaluation, TemplateValue>>
        {
            ["sum"] = (value, evaluation) => Arithmetic.Sum(Elements(value, evaluation), evaluation),
            ["min"] = (value, evaluation) =>
                PythonComparison.Extreme(Elements(value, evaluation), largest: false, evaluation),
            ["max"] = (value, evaluation) =>
                PythonComparison.Extreme(Elements(value, evaluation), largest: true, evaluation),
            ["all"] = (value, evaluation) =>
                TemplateValue.Of(Elements(value, evaluation).All(element => element.IsTrue(evaluation))),
            ["any"] = (value, evaluation) =>
                TemplateValue.Of(Elements(value, evaluation).Any(element => element.IsTrue(evaluation))),
            ["len"] = TemplateFunctions.Length,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    public static string List { get; } = string.Join(", ", "sum", "min", "max", "all", "any", "len");

    public static bool IsKnown(string name) => _functions.ContainsKey(name);

    public static TemplateValue Apply(string name, TemplateValue value, Evaluation evaluation) =>
        _functions.TryGetValue(name, out var function)
            ? function(value, evaluation)
            : throw evaluation.Fail(TemplateErrorKind.UnknownFunction, ConditionFaults.UnknownFunction(name));

    private static IEnumerable<TemplateValue> Elements(TemplateValue value, Evaluation evaluation) => value.Kind switch
    {
        JsonValueKind.Array => value.Items(evaluation),
        JsonValueKind.Object => value.Members(evaluation).Select(member => TemplateValue.Of(member.Key)),
        JsonValueKind.String =>
            value.Text(evaluation).EnumerateRunes().Select(rune => TemplateValue.Of(rune.ToString())),
        _ => throw evaluation.TypeError($"only an array can be aggregated, not {value.Description}."),
    };
}
