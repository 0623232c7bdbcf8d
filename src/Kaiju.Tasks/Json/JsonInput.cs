using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>
/// The input of a caller: JSON, or a .NET object that is written as JSON when the task is created.
/// </summary>
internal readonly record struct JsonInput
{
    private readonly object? _value;

    public JsonInput(JsonElement json) => Json = json;

    private JsonInput(object? value) => _value = value;

    /// <summary>The JSON; undefined for an object that is not written yet, and for null.</summary>
    public JsonElement Json { get; }

    /// <summary>The input as it was set: the object, the JSON, or null.</summary>
    public object? Given => _value ?? (Json.ValueKind == JsonValueKind.Undefined ? null : Json);

    /// <summary>The size of the value, for texts that must not show it.</summary>
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
    /// Writes the object as JSON, or copies the JSON, so that the caller's document may be disposed of.
    /// </summary>
    /// <exception cref="UnwritableException">The input cannot be written, or its document was disposed of.</exception>
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
    /// The fault of JSON whose document was disposed of, often by <c>using</c> in the method that returns the element.
    /// </summary>
    public static string Disposed(string place) =>
        $"{place} is a JsonElement whose JsonDocument was disposed of; give a Clone() of the element.";

    /// <summary>Returns the input as JSON.</summary>
    /// <exception cref="UnwritableException">The object cannot be written.</exception>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2026", Justification = "An object gets in only through members that are marked so themselves.")]
    [UnconditionalSuppressMessage(
        "AOT", "IL3050", Justification = "An object gets in only through members that are marked so themselves.")]
    public JsonInput Written(JsonSerializerOptions options, string place) =>
        _value is null ? this : new JsonInput(JsonWriting.Element(_value, options, place));
}

/// <summary>The reason for which members that take objects are marked as unsafe for trimming.</summary>
internal static class TrimmingNotice
{
    public const string Message =
        "The object is written as JSON by reflection. In trimmed and AOT-compiled apps give a JsonElement, or use the "
            + "overload that takes a JsonTypeInfo.";
}
