using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>Cuts a user's text for an error, so that the error stays short.</summary>
internal static class ErrorText
{
    /// <summary>The largest number of characters of a template's text that an error shows.</summary>
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

    /// <summary>The text of JSON, cut for an error.</summary>
    public static string Of(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            return "";
        }

        // A character takes at most four bytes. A character that is cut in two is removed below with the rest.
        var raw = JsonMarshal.GetRawUtf8Value(json);
        return Cut(Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, 4 * (Longest + 1))]));
    }
}
