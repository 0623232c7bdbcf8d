using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>JSON values as the text they were written as: their bytes, their size, and as messages show them.</summary>
internal static class JsonText
{
    /// <summary>The JSON value null.</summary>
    public static readonly JsonElement Null = JsonElement.Parse("null"u8);

    /// <summary>The JSON value {}.</summary>
    public static readonly JsonElement EmptyObject = JsonElement.Parse("{}"u8);

    /// <summary>The bytes of the value as it was written.</summary>
    public static ReadOnlySpan<byte> Raw(JsonElement json) => JsonMarshal.GetRawUtf8Value(json);

    /// <summary>True if there is no value, or the value is null.</summary>
    public static bool IsNothing(JsonElement json) => json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>How many bytes the value is; none if there is no value.</summary>
    public static int Size(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? 0 : Raw(json).Length;

    /// <summary>
    /// The value as our own, so that the caller's document may be disposed of; undefined stays undefined.
    /// </summary>
    public static JsonElement Owned(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? json : json.Clone();

    /// <summary>The value, or null where there is none: for results and messages, which are always something.</summary>
    public static JsonElement OrNull(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? Null : json;

    /// <summary>Text in quotes for a message, cut so that it stays readable.</summary>
    public static string Quote(string text)
    {
        const int Longest = 100;
        var shown = StorableText.Of(text.Length <= Longest ? text : text[..Longest]);
        return text.Length <= Longest ? $"\"{shown}\"" : $"\"{shown}…\"";
    }

    /// <summary>A value for a message, as it was written, cut so that it stays readable.</summary>
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
