using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Writes and reads this library's types in their wire form, whatever the serializer's options and without reflection.
/// The types name it themselves; nothing has to be registered.
/// </summary>
/// <remarks>
/// JSON that is not of the type is a <see cref="JsonException"/> that names every member that is wrong.
/// </remarks>
public sealed class TaskJsonConverter : JsonConverterFactory
{
    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert) => WireTypes.Find(typeToConvert) is not null;

    /// <inheritdoc/>
    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        WireTypes.Find(typeToConvert);
}
