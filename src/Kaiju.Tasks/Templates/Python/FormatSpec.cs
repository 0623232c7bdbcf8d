using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// The format of a field: <c>[&lt;&gt;^][0][width][.precision][f|d]</c>, a part of Python's mini-language.
/// </summary>
internal readonly record struct FormatSpec(char? Align, bool Zero, int Width, int? Precision, char? Type)
{
    /// <summary>The largest width and precision.</summary>
    public const int Largest = 1000;

    private const int DefaultDecimals = 6;

    // The cost of writing a double exactly, which may take hundreds of digits.
    private const int StepsPerNumber = 8;

    /// <summary>Parses a spec; false if the text is not one.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out FormatSpec spec)
    {
        char? align = text is ['<' or '>' or '^', ..] ? text[0] : null;
        var position = align is null ? 0 : 1;
        var zero = position < text.Length && text[position] == '0';
        position += zero ? 1 : 0;
        var width = ReadNumber(text, ref position) ?? 0;
        int? precision = null;
        var wellFormed = true;
        if (position < text.Length && text[position] == '.')
        {
            position++;
            precision = ReadNumber(text, ref position);
            wellFormed = precision is not null;
        }

        char? type = position < text.Length ? text[position++] : null;
        spec = new FormatSpec(align, zero, width, precision, type);
        return wellFormed && position == text.Length && type is null or 'f' or 'd';
    }

    public string Apply(TemplateValue value, Evaluation evaluation)
    {
        if (Width > Largest || Precision > Largest)
        {
            throw evaluation.Fail(
                TemplateErrorKind.LimitExceeded, $"width and precision of a field go up to {Largest}.");
        }

        evaluation.Step(StepsPerNumber);
        evaluation.Scan(Width + (Precision ?? 0));
        if (value.IsText)
        {
            return Pad(Shorten(value.Text(evaluation), evaluation), isNumber: false);
        }

        return value.TryGetNumber(evaluation, out var number)
            ? Pad(Write(number, evaluation), isNumber: true)
            : throw evaluation.Fail(TemplateErrorKind.FormatError, $"{value.Description} takes no format spec.");
    }

    // A number above the limit is only recognised as too large; its value does not matter.
    private static int? ReadNumber(ReadOnlySpan<char> text, ref int position)
    {
        int? number = null;
        for (; position < text.Length && char.IsAsciiDigit(text[position]); position++)
        {
            number = Math.Min(((number ?? 0) * 10) + (text[position] - '0'), Largest + 1);
        }

        return number;
    }

    private string Shorten(string text, Evaluation evaluation)
    {
        if (Type is not null)
        {
            throw evaluation.Fail(TemplateErrorKind.FormatError, $"text cannot be formatted with \"{Type}\".");
        }

        return Precision is { } longest && TextFunctions.CodePoints(text) > longest
            ? string.Concat(text.EnumerateRunes().Take(longest))
            : text;
    }

    private string Write(Number number, Evaluation evaluation)
    {
        if (Type == 'f')
        {
            var value = number.ToDouble();
            return number.IsFloat || double.IsFinite(value)
                ? FloatText.Fixed(value, Precision ?? DefaultDecimals)
                : throw evaluation.ValueError("the integer is too large to be written with decimals.");
        }

        if (number.IsFloat)
        {
            return Type is null
                ? Precision is { } count ? FloatText.Significant(number.Float, count) : FloatText.Shortest(number.Float)
                : throw evaluation.Fail(TemplateErrorKind.FormatError, "only an integer can be formatted with \"d\".");
        }

        return Precision is null
            ? number.Integer.ToString(CultureInfo.InvariantCulture)
            : throw evaluation.Fail(TemplateErrorKind.FormatError, "an integer takes no precision, unless with \"f\".");
    }

    private string Pad(string text, bool isNumber)
    {
        var missing = Width - TextFunctions.CodePoints(text);
        if (missing <= 0)
        {
            return text;
        }

        var fill = Zero ? '0' : ' ';
        if (isNumber && Zero && Align is null)
        {
            // Zeros are inserted between the sign and the digits.
            return text.Insert(text[0] == '-' ? 1 : 0, new string(fill, missing));
        }

        var before = (Align ?? (isNumber ? '>' : '<')) switch { '<' => 0, '>' => missing, _ => missing / 2 };
        return new string(fill, before) + text + new string(fill, missing - before);
    }
}
