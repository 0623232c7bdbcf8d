using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>Connects the wire form of a type to the serializer.</summary>
internal sealed class WireConverter<T>(Action<Utf8JsonWriter, T> write, Func<JsonElement, List<string>, T> read)
    : JsonConverter<T>
{
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => write(writer, value);

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var json = JsonElement.ParseValue(ref reader);
        try
        {
            var faults = new List<string>();
            var value = read(WireText.Checked(json), faults);
            return faults.Count == 0 ? value : throw new JsonException(string.Join(' ', faults));
        }
        catch (TaskValidationException e)
        {
            // Callers of the serializer, such as a web endpoint, treat this exception as invalid input.
            throw new JsonException(string.Join(' ', e.Faults), e);
        }
    }
}

/// <summary>Writes and reads a value in its text form.</summary>
internal sealed class TextConverter<T> : JsonConverter<T>
    where T : struct, IParsable<T>
{
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && T.TryParse(reader.GetString(), null, out var value)
            ? value
            : throw new JsonException($"The value is not the text form of a {typeof(T).Name}.");
}

/// <summary>Writes and reads an enum in its upper-case spelling, as a value and as a key.</summary>
internal sealed class WordConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(WireNames<T>.Of(value));

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(WireNames<T>.Of(value));

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? Word(reader.GetString()!)
            : throw new JsonException($"A {typeof(T).Name} must be one of {WireNames<T>.All}.");

    public override T ReadAsPropertyName(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Word(reader.GetString()!);

    private static T Word(string word) => WireNames<T>.TryRead(word, out var value)
        ? value
        : throw new JsonException(
            $"{JsonText.Quote(word)} is not a {typeof(T).Name}; it must be one of {WireNames<T>.All}.");
}
