using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Serialization;

/// <summary>
/// Refuses text that no store can hold. Without it the writer would turn a lone surrogate into U+FFFD in silence, and what was
/// given would not be what is stored.
/// </summary>
internal sealed class StrictStringConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(Checked(value));

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(Checked(value));

    private static string Checked(string value) =>
        JsonText.FindFault(value) is { } fault ? throw new JsonException($"The text {JsonText.Quote(value)} {fault}") : value;
}
