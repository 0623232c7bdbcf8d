using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Kaiju.Tasks.Json;

/// <summary>
/// The rules for JSON that every store can hold: no repeated keys, no U+0000, no lone surrogates, limited depth and
/// size. JSON is checked once, before it reaches a store, so that no store has a rule of its own.
/// </summary>
internal static class StorableJson
{
    /// <summary>
    /// The only member of an object by which a later version may replace a value that it encrypts or keeps elsewhere.
    /// </summary>
    private const string Reserved = "$kaiju";

    private const string BrokenText = "has text with a lone surrogate or broken UTF-8, which cannot be stored.";

    /// <summary>True if a value can be stored.</summary>
    public static bool IsStorable(ReadOnlySpan<byte> utf8, int maxBytes, int maxDepth) =>
        FindFault(utf8, maxBytes, maxDepth, "", showsValues: false) is null;

    /// <summary>
    /// The reason for which a value cannot be stored, a sentence that begins with the place; null if it can be stored.
    /// </summary>
    /// <param name="utf8">The value, as UTF-8.</param>
    /// <param name="maxBytes">The largest size in bytes.</param>
    /// <param name="maxDepth">The largest number of levels.</param>
    /// <param name="place">The place of the value, such as <c>kws</c>; empty for a whole document.</param>
    /// <param name="showsValues">
    /// True to show values, for the caller who gave them. False to describe them, for errors that are stored or logged.
    /// </param>
    public static string? FindFault(ReadOnlySpan<byte> utf8, int maxBytes, int maxDepth, string place, bool showsValues)
    {
        var whole = place.Length == 0 ? "The JSON" : place;
        if (utf8.Length > maxBytes)
        {
            return $"{whole} is {utf8.Length} bytes of JSON; at most {maxBytes} are allowed.";
        }

        // Allow one level more, so that the check below reports the fault and names the limit.
        scoped var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        var keys = new OpenKeys(utf8, stackalloc Range[64], stackalloc int[64]);
        try
        {
            while (reader.Read())
            {
                if (FindFaultOfToken(ref reader, ref keys, showsValues) is { } fault)
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
            // The reader throws this for an escape that is a lone surrogate.
            return $"{PlaceOf(utf8, reader.TokenStartIndex, place)} {BrokenText}";
        }
        catch (JsonException e)
        {
            return $"{whole} is not valid JSON: {e.Message}";
        }

        return place.Length > 0 && IsReserved(utf8)
            ? $"{place} has \"{Reserved}\" as its only member, which is reserved; give it another name."
            : null;
    }

    /// <summary>True for an object whose only member is the reserved one. The JSON is valid.</summary>
    private static bool IsReserved(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject
            || !reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(Reserved))
        {
            return false;
        }

        reader.Skip();
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject;
    }

    private static string? FindFaultOfToken(ref Utf8JsonReader reader, ref OpenKeys keys, bool showsValues)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                keys.Open();
                return null;
            case JsonTokenType.EndObject:
                keys.Close();
                return null;
            case JsonTokenType.PropertyName or JsonTokenType.String when !Utf8.IsValid(reader.ValueSpan):
                return BrokenText;
            case JsonTokenType.PropertyName:
                return FindBad(ref reader) is { } badName
                    ? $"has the key {JsonText.Quote(reader.GetString()!)}, which contains {badName} and cannot be "
                        + $"stored."
                    : keys.TryAdd(ref reader) ? null
                    : $"has the key {JsonText.Quote(reader.GetString()!)} twice in one object.";
            case JsonTokenType.String when FindBad(ref reader) is { } bad:
                var shown = showsValues
                    ? JsonText.Quote(Encoding.UTF8.GetString(reader.ValueSpan))
                    : JsonShape.Of(reader.GetString()!);
                return $"is {shown}, which contains {bad} and cannot be stored.";
            default:
                return null;
        }
    }

    /// <summary>
    /// Finds U+0000 and lone surrogates. Only an escape can contain them: JSON forbids raw control characters, and
    /// UTF-8 has no surrogates.
    /// </summary>
    private static string? FindBad(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped ? StorableText.FindBad(reader.GetString()!) : null;

    private static string PlaceOf(ReadOnlySpan<byte> utf8, long offset, string place)
    {
        var found = JsonPath.Find(utf8, offset, place).TrimStart('.');
        return found.Length == 0 ? "The JSON" : found;
    }
}
