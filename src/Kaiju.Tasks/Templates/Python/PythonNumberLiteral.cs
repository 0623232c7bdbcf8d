using System.Globalization;
using System.Numerics;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Parses number literals of Python after their sign: <c>42</c>, <c>1_000</c>, <c>0x1F</c>, <c>1.5</c>, <c>.5</c>,
/// <c>5.</c> and <c>2e2</c>.
/// </summary>
internal static class PythonNumberLiteral
{
    /// <summary>Reads all characters of the number. On failure the position is undefined.</summary>
    public static bool TryRead(ReadOnlySpan<char> source, ref int position, bool negative, out Number number)
    {
        number = Number.Zero;
        var rest = source[position..];
        if (rest.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            position += 2;
            return TryHexadecimal(source, ref position, negative, out number);
        }

        var start = position;
        if (!TryDigits(source, ref position, char.IsAsciiDigit, out var whole))
        {
            return false;
        }

        var isFloat = At(source, position) == '.';
        var fraction = 0;
        if (isFloat)
        {
            position++;
            if (!TryDigits(source, ref position, char.IsAsciiDigit, out fraction))
            {
                return false;
            }
        }

        if (whole + fraction == 0)
        {
            return false;
        }

        if (At(source, position) is 'e' or 'E')
        {
            isFloat = true;
            position += At(source, position + 1) is '+' or '-' ? 2 : 1;
            if (!TryDigits(source, ref position, char.IsAsciiDigit, out var exponent) || exponent == 0)
            {
                return false;
            }
        }

        var text = source[start..position].ToString().Replace("_", "", StringComparison.Ordinal);
        return isFloat ? TryFloat(text, negative, out number) : TryInteger(text, negative, out number);
    }

    private static bool TryFloat(string text, bool negative, out Number number)
    {
        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        number = new Number(negative ? -value : value);
        return double.IsFinite(value);
    }

    private static bool TryInteger(string text, bool negative, out Number number)
    {
        number = Number.Zero;
        if (text.Length > Number.LongestInteger || (text.Length > 1 && text[0] == '0'))
        {
            return false;
        }

        var value = BigInteger.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        number = new Number(negative ? -value : value);
        return true;
    }

    private static bool TryHexadecimal(ReadOnlySpan<char> source, ref int position, bool negative, out Number number)
    {
        number = Number.Zero;
        if (At(source, position) == '_')
        {
            position++;
        }

        var start = position;
        if (!TryDigits(source, ref position, char.IsAsciiHexDigit, out var count)
            || count is 0 or > Number.LongestInteger)
        {
            return false;
        }

        // Without the leading zero, a high first digit would be read as a sign.
        var text = "0" + source[start..position].ToString().Replace("_", "", StringComparison.Ordinal);
        var value = BigInteger.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        number = new Number(negative ? -value : value);
        return number.IsInBounds;
    }

    // Reads digits with single underscores between them. The caller decides whether there may be none.
    private static bool TryDigits(ReadOnlySpan<char> source, ref int position, Func<char, bool> isDigit, out int count)
    {
        count = 0;
        while (isDigit(At(source, position)) || (count > 0 && At(source, position) == '_'))
        {
            if (At(source, position) == '_')
            {
                position++;
                if (!isDigit(At(source, position)))
                {
                    return false;
                }
            }

            position++;
            count++;
        }

        return true;
    }

    private static char At(ReadOnlySpan<char> source, int position) =>
        position < source.Length ? source[position] : '\0';
}
