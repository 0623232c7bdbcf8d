using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>Cuts what an error shows of a user's text, so that an error is never as long as the text.</summary>
internal static class ErrorText
{
    /// <summary>The most characters of a template's text that an error shows.</summary>
    public const int Longest = 200;

    public static string Cut(string text, int longest = Longest)
    {
        if (text.Length <= longest)
        {
            return text;
        }

        var end = char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>As much of the JSON as an error shows.</summary>
    public static string Of(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            return "";
        }

        // A character takes four bytes at most; a character cut in two is cut off again with the rest.
        var raw = JsonMarshal.GetRawUtf8Value(json);
        return Cut(Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, 4 * (Longest + 1))]));
    }
}
