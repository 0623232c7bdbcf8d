namespace Kaiju.Tasks.Json;

/// <summary>The rules for text that every store can hold: no U+0000 and no lone surrogates.</summary>
internal static class StorableText
{
    /// <summary>The reason for which text cannot be stored; null if it can be stored.</summary>
    public static string? FindFault(string text) =>
        FindBad(text) is { } bad ? $"contains {bad}, which cannot be stored." : null;

    /// <summary>The kind of character that prevents storing the text; null if there is none.</summary>
    public static string? FindBad(string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? "U+0000"
        : HasLoneSurrogate(text) ? "a lone surrogate"
        : null;

    /// <summary>True if the text has a surrogate that is not part of a pair.</summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        var i = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; i >= 0 && i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Replaces each character that cannot be stored by U+FFFD. For errors, which must always be storable.
    /// </summary>
    public static string Of(string text)
    {
        if (FindFault(text) is null)
        {
            return text;
        }

        return string.Create(text.Length, text, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                if (char.IsHighSurrogate(source[i]) && i + 1 < source.Length && char.IsLowSurrogate(source[i + 1]))
                {
                    target[i] = source[i];
                    target[i + 1] = source[i + 1];
                    i++;
                }
                else
                {
                    target[i] = source[i] == '\0' || char.IsSurrogate(source[i]) ? '\uFFFD' : source[i];
                }
            }
        });
    }
}
