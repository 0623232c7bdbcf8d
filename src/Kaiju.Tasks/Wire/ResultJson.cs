using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>Writes results of handlers as JSON that does not depend on a document of the handler.</summary>
internal static class ResultJson
{
    /// <summary>The place of a result, for messages.</summary>
    public const string Place = "result";

    /// <summary>Writes a value.</summary>
    /// <exception cref="UnwritableException">The value cannot be written.</exception>
    public static JsonElement Write<T>(T value, JsonTypeInfo<T> typeInfo) => value switch
    {
        null => JsonText.Null,
        JsonElement json => Owned(json),
        _ => JsonWriting.Element(value, typeInfo, Place),
    };

    /// <summary>Returns a result that is already JSON.</summary>
    /// <exception cref="UnwritableException">The document of the result was disposed of.</exception>
    public static JsonElement Owned(JsonElement json) =>
        JsonText.OrNull(new JsonInput(json).Owned(WireText.DefaultOptions, Place));
}
