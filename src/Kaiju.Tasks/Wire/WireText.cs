using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form as text: read strictly, written readably.</summary>
internal static class WireText
{
    // A definition's own nesting (the object, its commands, a command) comes on top of the 64 levels of its params.
    public const int Depth = 64 + 8;

    /// <summary>How objects of the caller's are written where no host says otherwise: with Web defaults.</summary>
    public static readonly JsonSerializerOptions DefaultOptions = new(JsonSerializerDefaults.Web);

    private static readonly JsonWriterOptions _writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [ThreadStatic]
    private static ReusedWriter? _spare;

    /// <exception cref="TaskValidationException">It is no JSON that can be stored.</exception>
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

    /// <summary>The same for JSON that the caller has read; a copy, so that the caller's may be disposed of.</summary>
    /// <exception cref="TaskValidationException">It is no JSON that can be stored.</exception>
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

    /// <summary>Writes a value exactly as it was written before, or null if there is none.</summary>
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
