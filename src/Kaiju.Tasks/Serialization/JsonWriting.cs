using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Serialization;

/// <summary>The one way from a value of the caller's to JSON that may be stored.</summary>
internal static class JsonWriting
{
    private static readonly JsonWriterOptions _strict = new() { Encoder = StrictEncoder.Instance };

    // Written to again and again; what is written may write something itself, and then takes another one.
    [ThreadStatic]
    private static ReusedWriter? _spare;

    /// <exception cref="JsonException">It cannot be written.</exception>
    public static JsonElement Element<T>(T value, JsonTypeInfo<T> typeInfo) =>
        Element((value, typeInfo), static (writer, item) => JsonSerializer.Serialize(writer, item.value, item.typeInfo));

    /// <inheritdoc cref="Element{T}(T, JsonTypeInfo{T})"/>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static JsonElement Element(object value, JsonSerializerOptions options) =>
        Element((value, options), static (writer, item) => JsonSerializer.Serialize(writer, item.value, item.value.GetType(), item.options));

    /// <summary>Text as a JSON value.</summary>
    public static JsonElement Text(string text) => Element(text, static (writer, value) => writer.WriteStringValue(value));

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
        catch (NotSupportedException e)
        {
            // The serializer's way of saying that it cannot write a type.
            throw new JsonException(e.Message, e);
        }
        finally
        {
            _spare = output.IsSmall ? output : null;
        }
    }
}
