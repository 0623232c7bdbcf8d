using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Json;

/// <summary>Reads results, kws and metadata as types of the caller.</summary>
internal static class TypedJson
{
    /// <summary>Reads JSON as a type.</summary>
    /// <exception cref="JsonException">The JSON does not fit the type.</exception>
    /// <exception cref="NotSupportedException">The type cannot be read from JSON.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static T? Read<T>(JsonElement json, JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        var typeInfo = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
        return Lossy.FindReadingFault(typeInfo) is { } loss
            ? throw new NotSupportedException($"{TypeText.Of(typeof(T))} cannot be read from JSON: {loss}.")
            : json.Deserialize(typeInfo);
    }

    /// <summary>The result of a stage.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The stage has no result.</exception>
    public static JsonElement ResultOf(IReadOnlyList<JsonElement> results, int stage) =>
        stage >= 0 && stage < results.Count ? results[stage] : throw new ArgumentOutOfRangeException(
            nameof(stage), stage, results.Count == 0
                ? "No stage has a result."
                : $"Only the stages 0 to {results.Count - 1} have a result.");
}
