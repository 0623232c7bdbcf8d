using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks.Serialization;

/// <summary>What a caller gave: JSON, or an object of theirs that is written as JSON when the task is created.</summary>
internal readonly record struct JsonInput
{
    private readonly object? _value;

    public JsonInput(JsonElement json) => Json = json;

    private JsonInput(object? value) => _value = value;

    /// <summary>The JSON; undefined while there is only an object, and where nothing was given.</summary>
    public JsonElement Json { get; }

    /// <summary>What was given: the object, or the JSON, or null.</summary>
    public object? Given => _value ?? (Json.ValueKind == JsonValueKind.Undefined ? null : Json);

    public static JsonInput Of(object? value) => value switch
    {
        null => default,
        JsonElement json => new JsonInput(json),
        _ => new JsonInput(value),
    };

    /// <summary>The JSON as our own: written from the object, or copied, so that the caller's document may be disposed of.</summary>
    /// <exception cref="JsonException">The object cannot be written.</exception>
    public JsonElement Owned(JsonSerializerOptions options) => _value is null ? JsonText.Owned(Json) : Written(options).Json;

    /// <summary>The same as JSON alone.</summary>
    /// <exception cref="JsonException">The object cannot be written.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "An object gets in only through members that are marked so themselves.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "An object gets in only through members that are marked so themselves.")]
    public JsonInput Written(JsonSerializerOptions options) => _value is null ? this : new JsonInput(JsonWriting.Element(_value, options));
}

/// <summary>Why members that take objects are marked.</summary>
internal static class TrimmingNotice
{
    public const string Message =
        "The object is written as JSON by reflection. In trimmed and AOT-compiled apps give a JsonElement, or use the overload that takes a JsonTypeInfo.";
}
