using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>Parses a whole JSON value and reports the faults of all its strings.</summary>
internal sealed class TemplateParser(ICollection<TemplateFault> faults)
{
    /// <summary>The largest number of faults that are reported for one value.</summary>
    public const int MostFaults = 100;

    private readonly List<TemplateReference> _references = [];
    private int _faultCount;

    public IReadOnlyList<TemplateReference> References => _references;

    public bool HasFaults => _faultCount > 0;

    /// <summary>
    /// Returns the parsed value. If there are faults, it must not be used.
    /// </summary>
    public TemplateNode Parse(JsonElement json, TemplatePlace place, int depth = 0)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                return ParseString(json, place);
            case JsonValueKind.Array or JsonValueKind.Object when depth == TemplateBudget.DefaultDepth:
                Report(new TemplateFault(
                    place,
                    "",
                    TemplateErrorKind.LimitExceeded,
                    $"the value is nested deeper than {TemplateBudget.DefaultDepth} levels."));
                return new ConstantNode(json);
            case JsonValueKind.Array:
                return ParseArray(json, place, depth + 1);
            case JsonValueKind.Object:
                return ParseObject(json, place, depth + 1);
            default:
                return new ConstantNode(json);
        }
    }

    private TemplateNode ParseArray(JsonElement json, TemplatePlace place, int depth)
    {
        var items = new List<TemplateNode>(json.GetArrayLength());
        foreach (var item in json.EnumerateArray())
        {
            items.Add(Parse(item, place.Item(items.Count), depth));
        }

        return items.TrueForAll(item => item is ConstantNode) ? new ConstantNode(json) : new ArrayNode(items);
    }

    private TemplateNode ParseObject(JsonElement json, TemplatePlace place, int depth)
    {
        var members = new List<KeyValuePair<string, TemplateNode>>(json.GetPropertyCount());
        foreach (var member in json.EnumerateObject())
        {
            if (ReadName(member, place) is { } name)
            {
                members.Add(new(name, Parse(member.Value, place.Member(name), depth)));
            }
        }

        return members.TrueForAll(member => member.Value is ConstantNode)
            ? new ConstantNode(json)
            : new ObjectNode(members);
    }

    private TemplateNode ParseString(JsonElement json, TemplatePlace place)
    {
        if (IsPlain(JsonMarshal.GetRawUtf8Value(json)) || ReadText(json, place) is not { } text)
        {
            return new ConstantNode(json);
        }

        var parser = new OperatorParser(place, text, _references);
        if (parser.Parse() is not { } argument)
        {
            Report(parser.Fault!);
            return new ConstantNode(json);
        }

        return argument switch
        {
            { Operator: { } content } => new OperatorNode(place, text, content),
            _ when argument.Text.Length == text.Length => new ConstantNode(json),
            _ => new TextNode(argument.Text),
        };
    }

    // Most strings can be recognised as plain without decoding them.
    private static bool IsPlain(ReadOnlySpan<byte> quoted) =>
        quoted.Length == 2 ||
        (quoted[1] is not ((byte)'[' or (byte)'`') && quoted[^2] is not ((byte)']' or (byte)'`')
            && !quoted.Contains((byte)'\\'));

    private string? ReadText(JsonElement json, TemplatePlace place)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            ReportHalfCharacter(place);
            return null;
        }
    }

    private string? ReadName(JsonProperty member, TemplatePlace place)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            ReportHalfCharacter(place);
            return null;
        }
    }

    private void ReportHalfCharacter(TemplatePlace place) => Report(new TemplateFault(
        place,
        "",
        TemplateErrorKind.ValueError,
        "a text holds half a surrogate pair, such as \\ud800 alone, which is not valid text."));

    private void Report(TemplateFault fault)
    {
        if (_faultCount++ < MostFaults)
        {
            faults.Add(fault);
        }
    }
}
