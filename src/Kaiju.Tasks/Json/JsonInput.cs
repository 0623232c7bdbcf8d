using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>
/// What a caller gave: JSON, or an object of theirs that is written as JSON when the task is created.
/// </summary>
internal readonly record struct JsonInput
{
    private readonly object? _value;

    public JsonInput(JsonElement json) => Json = json;

    private JsonInput(object? value) => _value = value;

    /// <summary>The JSON; undefined while there is only an object, and where nothing was given.</summary>
    public JsonElement Json { get; }

    /// <summary>What was given: the object, or the JSON, or null.</summary>
    public object? Given => _value ?? (Json.ValueKind == JsonValueKind.Undefined ? null : Json);

    /// <summary>How large the value is, for texts that must not show it.</summary>
    public string SizeText
    {
        get
        {
            try
            {
                return _value is not null ? _value.GetType().Name
                    : Json.ValueKind == JsonValueKind.Undefined ? "none"
                    : $"{JsonText.Size(Json)} bytes";
            }
            catch (ObjectDisposedException)
            {
                return "disposed";
            }
        }
    }

    public static JsonInput Of(object? value) => value switch
    {
        null => default,
        JsonElement json => new JsonInput(json),
        _ => new JsonInput(value),
    };

    /// <summary>
    /// The JSON as our own: written from the object, or copied, so that the caller's document may be disposed of.
    /// </summary>
    /// <exception cref="UnwritableException">It cannot be written, or its document was disposed of.</exception>
    public JsonElement Owned(JsonSerializerOptions options, string place)
    {
        if (_value is not null)
        {
            return Written(options, place).Json;
        }

        try
        {
            return JsonText.Owned(Json);
        }
        catch (ObjectDisposedException e)
        {
            throw new UnwritableException(Disposed(place), Disposed(place), e);
        }
    }

    /// <summary>
    /// What is wrong with JSON whose document is gone: often <c>using</c> in the method that returns it.
    /// </summary>
    public static string Disposed(string place) =>
        $"{place} is a JsonElement whose JsonDocument was disposed of; give a Clone() of the element.";

    /// <summary>The same as JSON alone.</summary>
    /// <exception cref="UnwritableException">The object cannot be written.</exception>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2026", Justification = "An object gets in only through members that are marked so themselves.")]
    [UnconditionalSuppressMessage(
        "AOT", "IL3050", Justification = "An object gets in only through members that are marked so themselves.")]
    public JsonInput Written(JsonSerializerOptions options, string place) =>
        _value is null ? this : new JsonInput(JsonWriting.Element(_value, options, place));
}

/// <summary>Why members that take objects are marked.</summary>
internal static class TrimmingNotice
{
    public const string Message =
        "The object is written as JSON by reflection. In trimmed and AOT-compiled apps give a JsonElement, or use the "
            + "overload that takes a JsonTypeInfo.";
}
