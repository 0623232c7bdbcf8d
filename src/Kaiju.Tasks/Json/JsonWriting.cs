using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Json;

/// <summary>The one way from a value of the caller's to JSON that may be stored.</summary>
internal static class JsonWriting
{
    private static readonly JsonWriterOptions _strict = new() { Encoder = StrictEncoder.Instance };

    // Written to again and again; what is written may write something itself, and then takes another one.
    [ThreadStatic]
    private static ReusedWriter? _spare;

    /// <summary>A value of a type that a source generator knows.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">How it is written.</param>
    /// <param name="place">Where it stands, such as <c>commands[1].params</c>, for the message.</param>
    /// <exception cref="UnwritableException">It cannot be written, or would be lost.</exception>
    public static JsonElement Element<T>(T value, JsonTypeInfo<T> typeInfo, string place)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        try
        {
            return Lossy.FindFault(typeInfo) is { } reason
                ? throw new LossyTypeException(reason)
                : Element(
                    (value, typeInfo), static (writer, it) => JsonSerializer.Serialize(writer, it.value, it.typeInfo));
        }
        catch (Exception e)
        {
            // Whatever it is: the caller's getters and converters throw what they like.
            throw UnwritableSearch.Find(value, typeInfo, place, e);
        }
    }

    /// <summary>A value of which only the object tells the type.</summary>
    /// <inheritdoc cref="Element{T}(T, JsonTypeInfo{T}, string)"/>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static JsonElement Element(object value, JsonSerializerOptions options, string place)
    {
        JsonTypeInfo? typeInfo = null;
        try
        {
            typeInfo = WritingContracts.Of(options).Whole(value.GetType());
            return Element(
                (value, typeInfo), static (writer, it) => JsonSerializer.Serialize(writer, it.value, it.typeInfo));
        }
        catch (Exception e)
        {
            typeInfo ??= WritingContracts.Of(options).Declared(typeof(object));
            throw UnwritableSearch.Find(value, typeInfo, place, e);
        }
    }

    /// <summary>Text as a JSON value.</summary>
    public static JsonElement Text(string text) =>
        Element(text, static (writer, value) => writer.WriteStringValue(value));

    /// <summary>What is written by a function.</summary>
    /// <exception cref="JsonException">It cannot be written.</exception>
    public static JsonElement Element<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        var output = _spare ?? new ReusedWriter(_strict);
        _spare = null;
        try
        {
            return JsonElement.Parse(output.Write(state, write));
        }
        finally
        {
            _spare = output.IsSmall ? output : null;
        }
    }

    /// <summary>Writes a value to nowhere, to see whether it can be written.</summary>
    public static void Discard(object value, JsonTypeInfo typeInfo)
    {
        using var writer = new Utf8JsonWriter(Stream.Null, _strict);
        JsonSerializer.Serialize(writer, value, typeInfo);
    }
}
