using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>The text of JSON values: their bytes, their size, and their form in messages.</summary>
internal static class JsonText
{
    /// <summary>The JSON value null.</summary>
    public static readonly JsonElement Null = JsonElement.Parse("null"u8);

    /// <summary>The JSON value {}.</summary>
    public static readonly JsonElement EmptyObject = JsonElement.Parse("{}"u8);

    /// <summary>The bytes of the value, with its original spelling.</summary>
    public static ReadOnlySpan<byte> Raw(JsonElement json) => JsonMarshal.GetRawUtf8Value(json);

    /// <summary>True if the value is undefined or null.</summary>
    public static bool IsNothing(JsonElement json) => json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>The number of bytes of the value; 0 if it is undefined.</summary>
    public static int Size(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? 0 : Raw(json).Length;

    /// <summary>
    /// A copy of the value, so that the caller's document may be disposed of; undefined stays undefined.
    /// </summary>
    public static JsonElement Owned(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? json : json.Clone();

    /// <summary>The value, or JSON null if it is undefined, for results and messages.</summary>
    public static JsonElement OrNull(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? Null : json;

    /// <summary>The text in quotes for a message, cut to a readable length.</summary>
    public static string Quote(string text)
    {
        const int Longest = 100;
        var shown = StorableText.Of(text.Length <= Longest ? text : text[..Longest]);
        return text.Length <= Longest ? $"\"{shown}\"" : $"\"{shown}…\"";
    }

    /// <summary>The value for a message, with its original spelling, cut to a readable length.</summary>
    public static string Show(JsonElement json)
    {
        const int Longest = 100;
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            return "nothing";
        }

        var text = StorableText.Of(json.GetRawText());
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
