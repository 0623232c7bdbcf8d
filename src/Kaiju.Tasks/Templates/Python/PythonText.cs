using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// The text form of a value, Python's <c>str</c>: <c>True</c>, <c>None</c>, <c>1.0</c>, <c>[1, 'x']</c>.
/// </summary>
internal static class PythonText
{
    public static string Of(TemplateValue value, Evaluation evaluation)
    {
        if (value.IsText)
        {
            return value.Text(evaluation);
        }

        var text = new BoundedText(evaluation);
        Write(value, text, evaluation, 0);
        return text.ToString();
    }

    private static void Write(TemplateValue value, BoundedText text, Evaluation evaluation, int depth)
    {
        evaluation.RequireDepth(depth);
        switch (value.Kind)
        {
            case JsonValueKind.True:
                text.Append("True");
                break;
            case JsonValueKind.False:
                text.Append("False");
                break;
            case JsonValueKind.Number:
                value.TryGetNumber(evaluation, out var number);
                text.Append(number.ToString());
                break;
            case JsonValueKind.String:
                text.Append(Quote(value.Text(evaluation)));
                break;
            case JsonValueKind.Array:
                WriteArray(value, text, evaluation, depth);
                break;
            case JsonValueKind.Object:
                WriteObject(value, text, evaluation, depth);
                break;
            default:
                text.Append("None");
                break;
        }
    }

    private static void WriteArray(TemplateValue array, BoundedText text, Evaluation evaluation, int depth)
    {
        var separator = "[";
        foreach (var item in array.Items(evaluation))
        {
            text.Append(separator);
            Write(item, text, evaluation, depth + 1);
            separator = ", ";
        }

        text.Append(separator == "[" ? "[]" : "]");
    }

    private static void WriteObject(TemplateValue value, BoundedText text, Evaluation evaluation, int depth)
    {
        var separator = "{";
        foreach (var (name, member) in value.Members(evaluation))
        {
            text.Append(separator);
            text.Append(Quote(name));
            text.Append(": ");
            Write(member, text, evaluation, depth + 1);
            separator = ", ";
        }

        text.Append(separator == "{" ? "{}" : "}");
    }

    // Python uses double quotes only for a text with single quotes and without double ones.
    private static string Quote(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var quoted = new StringBuilder(text.Length + 2).Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            AppendRune(quoted, rune, quote);
        }

        return quoted.Append(quote).ToString();
    }

    private static void AppendRune(StringBuilder quoted, Rune rune, char quote)
    {
        switch (rune.Value)
        {
            case '\n':
                quoted.Append("\\n");
                break;
            case '\r':
                quoted.Append("\\r");
                break;
            case '\t':
                quoted.Append("\\t");
                break;
            case '\\':
                quoted.Append("\\\\");
                break;
            case var code when code == quote:
                quoted.Append('\\').Append(quote);
                break;
            case var code when IsPrintable(rune):
                quoted.Append(rune);
                break;
            case <= 0xFF:
                quoted.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            case <= 0xFFFF:
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                break;
            default:
                quoted.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                break;
        }
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or
        UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or
        UnicodeCategory.SpaceSeparator);
}
