using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Json;

/// <summary>Writes values of the caller as JSON that can be stored. All values are written here.</summary>
internal static class JsonWriting
{
    private static readonly JsonWriterOptions _strict = new() { Encoder = StrictEncoder.Instance };

    // Reused by the thread. A value whose converter writes other JSON makes a second writer.
    [ThreadStatic]
    private static ReusedWriter? _spare;

    /// <summary>Writes a value of a type with source-generated JSON.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">The JSON contract of the value's type.</param>
    /// <param name="place">The place of the value for the message, such as <c>commands[1].params</c>.</param>
    /// <exception cref="UnwritableException">The value cannot be written, or would be lost.</exception>
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
            // Catch all exceptions: the caller's getters and converters can throw any.
            throw UnwritableSearch.Find(value, typeInfo, place, e);
        }
    }

    /// <summary>Writes a value by its runtime type.</summary>
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

    /// <summary>Writes text as a JSON value.</summary>
    public static JsonElement Text(string text) =>
        Element(text, static (writer, value) => writer.WriteStringValue(value));

    /// <summary>Returns the JSON that a function writes.</summary>
    /// <exception cref="JsonException">The function wrote text that cannot be stored.</exception>
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

    /// <summary>Writes a value and discards the JSON, to find out whether it can be written.</summary>
    public static void Discard(object value, JsonTypeInfo typeInfo)
    {
        using var writer = new Utf8JsonWriter(Stream.Null, _strict);
        JsonSerializer.Serialize(writer, value, typeInfo);
    }
}
