using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Serialization;

/// <summary>The one way from a value of the caller's to JSON that may be stored.</summary>
internal static class JsonWriting
{
    private static readonly JsonWriterOptions _strict = new() { Encoder = StrictEncoder.Instance };

    /// <exception cref="JsonException">It cannot be written.</exception>
    public static JsonElement Element<T>(T value, JsonTypeInfo<T> typeInfo) => Element(writer => JsonSerializer.Serialize(writer, value, typeInfo));

    /// <inheritdoc cref="Element{T}(T, JsonTypeInfo{T})"/>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static JsonElement Element(object value, JsonSerializerOptions options) => Element(writer => JsonSerializer.Serialize(writer, value, value.GetType(), options));

    /// <summary>Text as a JSON value.</summary>
    public static JsonElement Text(string text) => Element(writer => writer.WriteStringValue(text));

    /// <inheritdoc cref="Element{T}(T, JsonTypeInfo{T})"/>
    public static JsonElement Element(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        try
        {
            using (var writer = new Utf8JsonWriter(buffer, _strict))
            {
                write(writer);
            }
        }
        catch (NotSupportedException e)
        {
            // The serializer's way of saying that it cannot write a type.
            throw new JsonException(e.Message, e);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
