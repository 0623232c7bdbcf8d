using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Writes values as JSON and charges their bytes to the budget. Elements are copied byte by byte, so they keep their
/// spelling.
/// </summary>
internal sealed class JsonOutput : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _writer;
    private readonly Evaluation _evaluation;
    private readonly bool _final;
    private long _paid;
    private int _depth;

    private JsonOutput(Evaluation evaluation, bool final)
    {
        _evaluation = evaluation;
        _final = final;

        // The relaxed encoder does not escape ł and <. This JSON is not written into HTML.
        _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            SkipValidation = true,
        });
    }

    /// <summary>Makes a writer for the result. Its bytes count as output.</summary>
    public static JsonOutput Final(Evaluation evaluation) => new(evaluation, final: true);

    /// <summary>Makes a writer for an intermediate value, which costs steps and must fit into the output.</summary>
    public static JsonOutput Intermediate(Evaluation evaluation) => new(evaluation, final: false);

    public void StartObject()
    {
        _evaluation.RequireDepth(++_depth);
        _writer.WriteStartObject();
    }

    public void EndObject()
    {
        _depth--;
        _writer.WriteEndObject();
        Pay();
    }

    public void StartArray()
    {
        _evaluation.RequireDepth(++_depth);
        _writer.WriteStartArray();
    }

    public void EndArray()
    {
        _depth--;
        _writer.WriteEndArray();
        Pay();
    }

    public void Name(string name)
    {
        _writer.WritePropertyName(name);
        Pay();
    }

    public void Raw(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        _evaluation.RequireRoom(raw.Length);
        _writer.WriteRawValue(raw, skipInputValidation: true);
        Pay();
    }

    public void Text(string text)
    {
        _evaluation.RequireRoom(text.Length);
        _writer.WriteStringValue(text);
        Pay();
    }

    public void Value(TemplateValue value)
    {
        if (value.IsElement)
        {
            Raw(value.Element);
            return;
        }

        switch (value.Kind)
        {
            case JsonValueKind.String:
                Text(value.Text(_evaluation));
                break;
            case JsonValueKind.Number:
                value.TryGetNumber(_evaluation, out var number);
                Number(number);
                break;
            case JsonValueKind.Array:
                Items(value);
                break;
            default:
                Members(value);
                break;
        }
    }

    /// <summary>Returns the JSON written so far as one element that owns its memory.</summary>
    public JsonElement ToElement()
    {
        _writer.Flush();
        try
        {
            return JsonElement.Parse(
                _buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = _evaluation.Budget.MaxDepth });
        }
        catch (JsonException)
        {
            // The output is well-formed, so only its depth can fail: a deep element is now nested in another value.
            throw _evaluation.TooDeep();
        }
    }

    public void Dispose() => _writer.Dispose();

    private void Number(Number number)
    {
        if (!number.IsInBounds)
        {
            throw _evaluation.ValueError("the number is too large for JSON, or not a number.");
        }

        _writer.WriteRawValue(number.ToString(), skipInputValidation: true);
        Pay();
    }

    private void Items(TemplateValue array)
    {
        StartArray();
        foreach (var item in array.Items(_evaluation))
        {
            Value(item);
        }

        EndArray();
    }

    private void Members(TemplateValue value)
    {
        StartObject();
        foreach (var (name, member) in value.Members(_evaluation))
        {
            Name(name);
            Value(member);
        }

        EndObject();
    }

    private void Pay()
    {
        var written = _writer.BytesCommitted + _writer.BytesPending;
        if (_final)
        {
            _evaluation.Output(written - _paid);
        }
        else
        {
            _evaluation.RequireRoom(written);
            _evaluation.Scan(written - _paid);
        }

        _paid = written;
    }
}
