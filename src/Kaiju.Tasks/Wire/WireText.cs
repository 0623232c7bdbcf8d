using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>Reads and writes the wire form as text.</summary>
internal static class WireText
{
    // The levels of a definition itself (the object, its commands, a command) are added to the 64 of its params.
    public const int Depth = 64 + 8;

    /// <summary>The options for objects of the caller if there is no host: Web defaults.</summary>
    public static readonly JsonSerializerOptions DefaultOptions = new(JsonSerializerDefaults.Web);

    private static readonly JsonWriterOptions _writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [ThreadStatic]
    private static ReusedWriter? _spare;

    /// <exception cref="TaskValidationException">The text is not JSON that can be stored.</exception>
    public static JsonElement Parse(string json)
    {
        byte[] utf8;
        try
        {
            utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(json);
        }
        catch (EncoderFallbackException)
        {
            throw new TaskValidationException(null, ["The JSON has a lone surrogate, which cannot be stored."]);
        }

        ThrowIfNotStorable(utf8);
        return JsonElement.Parse(utf8, new JsonDocumentOptions { MaxDepth = Depth });
    }

    /// <summary>
    /// Returns a checked copy of JSON that the caller has read, so that its document may be disposed of.
    /// </summary>
    /// <exception cref="TaskValidationException">The text is not JSON that can be stored.</exception>
    public static JsonElement Checked(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Undefined)
        {
            ThrowIfNotStorable(JsonText.Raw(json));
        }

        return JsonText.Owned(json);
    }

    private static void ThrowIfNotStorable(ReadOnlySpan<byte> utf8)
    {
        if (StorableJson.FindFault(utf8, int.MaxValue, Depth, "", showsValues: true) is { } fault)
        {
            throw new TaskValidationException(null, [fault]);
        }
    }

    public static string Write<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        var output = _spare ?? new ReusedWriter(_writing);
        _spare = null;
        try
        {
            return Encoding.UTF8.GetString(output.Write(state, write));
        }
        finally
        {
            _spare = output.IsSmall ? output : null;
        }
    }

    /// <summary>Writes a value with its original spelling, or null if it is undefined.</summary>
    public static void WriteRaw(Utf8JsonWriter writer, string name, JsonElement json)
    {
        writer.WritePropertyName(name);
        WriteRaw(writer, json);
    }

    public static void WriteRaw(Utf8JsonWriter writer, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteRawValue(JsonText.Raw(json), skipInputValidation: true);
        }
    }
}
