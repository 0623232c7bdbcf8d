using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Equality and order as in Python: numbers by exact value, booleans as 0 and 1, arrays by their first difference.
/// </summary>
internal static class PythonComparison
{
    // With more members, a lookup table is cheaper than a search of the object for each of them.
    private const int SmallObject = 8;

    public static bool Equal(TemplateValue left, TemplateValue right, Evaluation evaluation, int depth = 0)
    {
        evaluation.RequireDepth(depth);
        if (IsNumeric(left) && IsNumeric(right))
        {
            return CompareNumbers(left, right, evaluation) == 0;
        }

        return left.Kind == right.Kind && left.Kind switch
        {
            JsonValueKind.String => EqualTexts(left.Text(evaluation), right.Text(evaluation), evaluation),
            JsonValueKind.Array => EqualArrays(left, right, evaluation, depth),
            JsonValueKind.Object => EqualObjects(left, right, evaluation, depth),
            _ => true,
        };
    }

    /// <summary>Compares two values. Values without an order, such as a number and a text, are a type error.</summary>
    public static int Compare(TemplateValue left, TemplateValue right, Evaluation evaluation, int depth = 0)
    {
        evaluation.RequireDepth(depth);
        if (IsNumeric(left) && IsNumeric(right))
        {
            return CompareNumbers(left, right, evaluation);
        }

        return (left.Kind, right.Kind) switch
        {
            (JsonValueKind.String, JsonValueKind.String) =>
                CompareTexts(left.Text(evaluation), right.Text(evaluation), evaluation),
            (JsonValueKind.Array, JsonValueKind.Array) => CompareArrays(left, right, evaluation, depth),
            _ => throw evaluation.TypeError($"{left.Description} and {right.Description} have no order."),
        };
    }

    /// <summary>The largest or smallest value, the first of equal ones. No values at all are a value error.</summary>
    public static TemplateValue Extreme(IEnumerable<TemplateValue> values, bool largest, Evaluation evaluation)
    {
        TemplateValue? best = null;
        foreach (var value in values)
        {
            evaluation.Step();
            if (best is not { } current || Compare(value, current, evaluation) * (largest ? 1 : -1) > 0)
            {
                best = value;
            }
        }

        return best ?? throw evaluation.ValueError($"{(largest ? "max" : "min")} of nothing.");
    }

    public static bool IsNumeric(TemplateValue value) =>
        value.Kind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;

    public static int CompareNumbers(TemplateValue left, TemplateValue right, Evaluation evaluation)
    {
        left.TryGetNumber(evaluation, out var first);
        right.TryGetNumber(evaluation, out var second);
        return Number.Compare(first, second);
    }

    private static bool EqualTexts(string left, string right, Evaluation evaluation)
    {
        evaluation.Scan(Math.Min(left.Length, right.Length));
        return string.Equals(left, right, StringComparison.Ordinal);
    }

    private static bool EqualArrays(TemplateValue left, TemplateValue right, Evaluation evaluation, int depth) =>
        left.Count == right.Count &&
        left.Items(evaluation).Zip(right.Items(evaluation)).All(
            pair => Equal(pair.First, pair.Second, evaluation, depth + 1));

    private static bool EqualObjects(TemplateValue left, TemplateValue right, Evaluation evaluation, int depth)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        var table = new Dictionary<string, TemplateValue>();
        if (right.Count > SmallObject)
        {
            foreach (var (name, value) in right.Members(evaluation))
            {
                table[name] = value;
            }
        }

        foreach (var (name, value) in left.Members(evaluation))
        {
            var found = right.Count > SmallObject
                ? table.TryGetValue(name, out var other)
                : right.TryGetMember(name, evaluation, out other);
            if (!found || !Equal(value, other, evaluation, depth + 1))
            {
                return false;
            }
        }

        return true;
    }

    private static int CompareArrays(TemplateValue left, TemplateValue right, Evaluation evaluation, int depth)
    {
        foreach (var (first, second) in left.Items(evaluation).Zip(right.Items(evaluation)))
        {
            if (!Equal(first, second, evaluation, depth + 1))
            {
                return Compare(first, second, evaluation, depth + 1);
            }
        }

        return left.Count.CompareTo(right.Count);
    }

    // By code points. UTF-16 order differs only for a surrogate and a code unit above the surrogates.
    private static int CompareTexts(string left, string right, Evaluation evaluation)
    {
        evaluation.Scan(Math.Min(left.Length, right.Length));
        var same = left.AsSpan().CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        var (first, second) = (left[same], right[same]);
        return char.IsSurrogate(first) == char.IsSurrogate(second)
            ? first.CompareTo(second)
            : char.IsSurrogate(first) ? 1 : -1;
    }
}
