using System.Globalization;
using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>Parses text in single or double quotes, with escapes.</summary>
internal static class PythonTextLiteral
{
    private const string Escapes = "ntrbf\\'\"";
    private const string Escaped = "\n\t\r\b\f\\'\"";

    /// <summary>Reads from the opening to the closing quote. On failure the position is undefined.</summary>
    public static bool TryRead(ReadOnlySpan<char> source, ref int position, out string text)
    {
        text = "";
        var quote = source[position++];
        var read = new StringBuilder();
        while (position < source.Length)
        {
            var character = source[position++];
            if (character == quote)
            {
                text = read.ToString();
                return IsWhole(text);
            }

            if (character is '\n' or '\r')
            {
                return false;
            }

            if (character != '\\')
            {
                read.Append(character);
            }
            else if (!TryEscape(source, ref position, read))
            {
                return false;
            }
        }

        return false;
    }

    private static bool TryEscape(ReadOnlySpan<char> source, ref int position, StringBuilder read)
    {
        if (position == source.Length)
        {
            return false;
        }

        var character = source[position++];
        var known = Escapes.IndexOf(character, StringComparison.Ordinal);
        if (known >= 0)
        {
            read.Append(Escaped[known]);
            return true;
        }

        var digits = character switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            return TryCode(source, ref position, digits, read);
        }

        // Python does not change an unknown escape.
        read.Append('\\').Append(character);
        return character is not ('\n' or '\r');
    }

    private static bool TryCode(ReadOnlySpan<char> source, ref int position, int digits, StringBuilder read)
    {
        if (position + digits > source.Length ||
            !uint.TryParse(
                source.Slice(position, digits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var code) ||
            code > 0x10FFFF)
        {
            return false;
        }

        position += digits;
        if (code <= char.MaxValue)
        {
            read.Append((char)code);
        }
        else
        {
            read.Append(new Rune(code));
        }

        return true;
    }

    // JSON text cannot contain a lone surrogate, such as \ud83d.
    private static bool IsWhole(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return false;
            }

            i++;
        }

        return true;
    }
}
