using System.Collections.Frozen;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The operators of tests: functions from a value and an operand to whether the test holds.</summary>
internal static class ConditionOperators
{
    private delegate bool Operation(TemplateValue value, TemplateValue operand, Evaluation evaluation);

    private static readonly FrozenDictionary<string, Operation> _operations = new Dictionary<string, Operation>
    {
        ["eq"] = (value, operand, evaluation) => PythonComparison.Equal(value, operand, evaluation),
        ["ne"] = (value, operand, evaluation) => !PythonComparison.Equal(value, operand, evaluation),
        ["gt"] = (value, operand, evaluation) => Ordered(value, operand, evaluation, order => order > 0),
        ["lt"] = (value, operand, evaluation) => Ordered(value, operand, evaluation, order => order < 0),
        ["ge"] = (value, operand, evaluation) => Ordered(value, operand, evaluation, order => order >= 0),
        ["le"] = (value, operand, evaluation) => Ordered(value, operand, evaluation, order => order <= 0),
        ["has"] = Contains,
        ["in"] = (value, operand, evaluation) => Contains(operand, value, evaluation),
        ["match"] = Matches,
        ["like"] = IsLike,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static string List { get; } = string.Join(
        ", ", "eq", "ne", "gt", "lt", "ge", "le", "has", "in", "match", "like");

    public static bool IsKnown(string name) => _operations.ContainsKey(name);

    public static bool Apply(string name, TemplateValue value, TemplateValue operand, Evaluation evaluation) =>
        _operations.TryGetValue(name, out var operation)
            ? operation(value, operand, evaluation)
            : throw evaluation.Fail(TemplateErrorKind.UnknownOperator, ConditionFaults.UnknownOperator(name));

    // A comparison with a value that is not a number is false, without an error.
    private static bool Ordered(
        TemplateValue value, TemplateValue operand, Evaluation evaluation, Func<int, bool> holds) =>
        PythonComparison.IsNumeric(value) && PythonComparison.IsNumeric(operand) &&
        holds(PythonComparison.CompareNumbers(value, operand, evaluation));

    private static bool Contains(TemplateValue container, TemplateValue item, Evaluation evaluation)
    {
        // Read the text once, not for every element with which it is compared.
        var read = item.IsText ? TemplateValue.Of(item.Text(evaluation)) : item;
        return container.Kind switch
        {
            JsonValueKind.Array =>
                container.Items(evaluation).Any(element => PythonComparison.Equal(element, read, evaluation)),
            JsonValueKind.Object => HasKey(container, read, evaluation),
            JsonValueKind.String when read.IsText =>
                TextSearch.Contains(container.Text(evaluation), read.Text(evaluation), evaluation),
            JsonValueKind.String =>
                throw evaluation.TypeError($"a text can only contain text, not {read.Description}."),
            _ => false,
        };
    }

    private static bool HasKey(TemplateValue container, TemplateValue key, Evaluation evaluation)
    {
        if (key.Kind is JsonValueKind.Array or JsonValueKind.Object)
        {
            throw evaluation.TypeError($"{key.Description} cannot be a key of an object.");
        }

        return key.IsText && container.TryGetMember(key.Text(evaluation), evaluation, out _);
    }

    private static bool Matches(TemplateValue value, TemplateValue pattern, Evaluation evaluation) =>
        Glob.IsMatch(PythonText.Of(value, evaluation), PythonText.Of(pattern, evaluation), evaluation);

    private static bool IsLike(TemplateValue value, TemplateValue pattern, Evaluation evaluation) => Glob.IsMatch(
        PythonText.Of(value, evaluation),
        PythonText.Of(pattern, evaluation).Replace('%', '*'),
        evaluation);
}
