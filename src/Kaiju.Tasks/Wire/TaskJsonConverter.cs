using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Writes and reads this library's types in their wire form, with any options of the serializer and without reflection.
/// The types refer to it with an attribute, so it needs no registration.
/// </summary>
/// <remarks>For invalid JSON it throws a <see cref="JsonException"/> that names every invalid member.</remarks>
public sealed class TaskJsonConverter : JsonConverterFactory
{
    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert) => WireTypes.Find(typeToConvert) is not null;

    /// <inheritdoc/>
    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        WireTypes.Find(typeToConvert);
}
