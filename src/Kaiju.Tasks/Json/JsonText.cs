using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Kaiju.Tasks.Json;

/// <summary>
/// What JSON every store can hold: no repeated keys, no U+0000, no lone surrogates, bounded depth and size. Checked
/// once at the door, so that no store has a rule of its own.
/// </summary>
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

    /// <summary>True if a value can be stored.</summary>
    public static bool IsStorable(ReadOnlySpan<byte> utf8, int maxBytes, int maxDepth) =>
        FindFault(utf8, maxBytes, maxDepth, "", showsValues: false) is null;

    /// <summary>Why a value cannot be stored, a sentence that begins with the place; null if it can.</summary>
    /// <param name="utf8">The value.</param>
    /// <param name="maxBytes">The most bytes.</param>
    /// <param name="maxDepth">The most levels.</param>
    /// <param name="place">Where the value stands, such as <c>kws</c>; empty for a whole document.</param>
    /// <param name="showsValues">True for the caller who gave the value; false for what is stored or logged.</param>
    public static string? FindFault(ReadOnlySpan<byte> utf8, int maxBytes, int maxDepth, string place, bool showsValues)
    {
        var whole = place.Length == 0 ? "The JSON" : place;
        if (utf8.Length > maxBytes)
        {
            return $"{whole} is {utf8.Length} bytes of JSON; at most {maxBytes} are allowed.";
        }

        if (IsPlainlyStorable(utf8, maxDepth))
        {
            return null;
        }

        // One level more than is allowed, so that the message is ours and names the limit.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        var keys = new Stack<HashSet<string>>();
        try
        {
            while (reader.Read())
            {
                if (FindFaultOfToken(ref reader, keys, showsValues) is { } fault)
                {
                    return $"{PlaceOf(utf8, reader.TokenStartIndex, place)} {fault}";
                }

                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray
                    && reader.CurrentDepth >= maxDepth)
                {
                    return $"{whole} is nested deeper than {maxDepth} levels.";
                }
            }
        }
        catch (InvalidOperationException)
        {
            // The reader's way of saying so for a name or a text.
            var found = PlaceOf(utf8, reader.TokenStartIndex, place);
            return $"{found} has text with a lone surrogate or broken UTF-8, which cannot be stored.";
        }
        catch (JsonException e)
        {
            return $"{whole} is not valid JSON: {e.Message}";
        }

        return null;
    }

    private static string? FindFaultOfToken(ref Utf8JsonReader reader, Stack<HashSet<string>> keys, bool showsValues)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                keys.Push(new HashSet<string>(StringComparer.Ordinal));
                return null;
            case JsonTokenType.EndObject:
                keys.Pop();
                return null;
            case JsonTokenType.PropertyName:
                var name = reader.GetString()!;
                return FindBad(name) is { } badName
                    ? $"has the key {Quote(name)}, which contains {badName} and cannot be stored."
                    : keys.Peek().Add(name) ? null
                    : $"has the key {Quote(name)} twice in one object.";
            case JsonTokenType.String when reader.ValueIsEscaped:
                // Only an escape can bring in what this looks for: JSON forbids raw control characters, and UTF-8 has
                // no surrogates.
                var text = reader.GetString()!;
                if (FindBad(text) is not { } bad)
                {
                    return null;
                }

                var shown = showsValues ? Quote(Encoding.UTF8.GetString(reader.ValueSpan)) : JsonShape.Of(text);
                return $"is {shown}, which contains {bad} and cannot be stored.";
            default:
                return null;
        }
    }

    private static string PlaceOf(ReadOnlySpan<byte> utf8, long offset, string place)
    {
        var found = JsonPath.Find(utf8, offset, place).TrimStart('.');
        return found.Length == 0 ? "The JSON" : found;
    }

    /// <summary>
    /// True if nothing is wrong, found without an allocation. False may mean nothing but that it is not as plain as
    /// that: escapes, many keys.
    /// </summary>
    private static bool IsPlainlyStorable(ReadOnlySpan<byte> utf8, int maxDepth)
    {
        const int MostKeys = 64;

        // The keys of all objects that are open, and where those of each object begin.
        Span<Range> keys = stackalloc Range[MostKeys];
        Span<int> begins = stackalloc int[Math.Min(maxDepth, MostKeys)];
        var (count, open) = (0, 0);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject when open == begins.Length:
                    case JsonTokenType.PropertyName or JsonTokenType.String when reader.ValueIsEscaped:
                    case JsonTokenType.PropertyName when count == keys.Length || !Utf8.IsValid(reader.ValueSpan):
                        return false;
                    case JsonTokenType.StartObject:
                        begins[open++] = count;
                        break;
                    case JsonTokenType.EndObject:
                        count = begins[--open];
                        break;
                    case JsonTokenType.PropertyName:
                        foreach (var key in keys[begins[open - 1]..count])
                        {
                            if (utf8[key].SequenceEqual(reader.ValueSpan))
                            {
                                return false;
                            }
                        }

                        var start = (int)reader.TokenStartIndex + 1;
                        keys[count++] = start..(start + reader.ValueSpan.Length);
                        break;
                }
            }
        }
        catch (JsonException)
        {
            return false;
        }

        return true;
    }

    /// <summary>Finds the reason for which text cannot be stored; null if it can.</summary>
    public static string? FindFault(string text) =>
        FindBad(text) is { } bad ? $"contains {bad}, which cannot be stored." : null;

    /// <summary>What no store can hold of a text; null if there is nothing of the kind.</summary>
    public static string? FindBad(string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? "U+0000"
        : HasLoneSurrogate(text) ? "a lone surrogate"
        : null;

    /// <summary>True if there is half a character.</summary>
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
    /// Text that can be stored whatever it was: what cannot becomes U+FFFD. For errors, which must always be writable.
    /// </summary>
    public static string Storable(string text)
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

    /// <summary>Text in quotes for a message, cut so that it stays readable.</summary>
    public static string Quote(string text)
    {
        const int Longest = 100;
        var shown = Storable(text.Length <= Longest ? text : text[..Longest]);
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

        var text = Storable(json.GetRawText());
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
