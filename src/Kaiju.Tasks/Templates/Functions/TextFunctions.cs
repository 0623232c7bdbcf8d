using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>The functions on text. They do not depend on the machine's culture.</summary>
internal static class TextFunctions
{
    public static TemplateValue Upper(FunctionCall call) => TemplateValue.Of(Paid(call).ToUpperInvariant());

    public static TemplateValue Lower(FunctionCall call) => TemplateValue.Of(Paid(call).ToLowerInvariant());

    /// <summary>Changes the first code point to upper case and all others to lower case.</summary>
    public static TemplateValue Capitalize(FunctionCall call)
    {
        var text = Paid(call);
        if (text.Length == 0)
        {
            return TemplateValue.Of(text);
        }

        var first = Rune.GetRuneAt(text, 0);
        return TemplateValue.Of(Rune.ToUpperInvariant(first) + text[first.Utf16SequenceLength..].ToLowerInvariant());
    }

    /// <summary>Splits a text at a separator. Arguments: separator, text.</summary>
    public static TemplateValue Split(FunctionCall call)
    {
        var separator = call.Text(0);
        var text = call.Text(1);
        if (separator.Length == 0)
        {
            throw call.ValueError("the separator is empty.");
        }

        return TemplateValue.Of(TextSearch.Split(text, separator, call.Evaluation).Select(TemplateValue.Of).ToArray());
    }

    /// <summary>Joins texts with a separator. Arguments: separator, texts.</summary>
    public static TemplateValue Join(FunctionCall call)
    {
        var separator = call.Text(0);
        var text = new BoundedText(call.Evaluation);
        for (var i = 1; i < call.Arguments.Count; i++)
        {
            text.Append(i == 1 ? "" : separator);
            text.Append(call.Text(i));
        }

        return TemplateValue.Of(text.ToString());
    }

    /// <summary>The number of characters as Python counts them: a surrogate pair is one.</summary>
    public static int CodePoints(string text) => text.Length - text.Count(char.IsLowSurrogate);

    private static string Paid(FunctionCall call)
    {
        var text = call.Text(0);
        call.Evaluation.Scan(text.Length);
        return text;
    }
}
