using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>A JSON value with templates in it: parsed once, filled often. Immutable and thread-safe.</summary>
/// <remarks>
/// It refers to the memory of the element it was parsed from, so the document of that element must stay.
/// </remarks>
internal sealed class Template
{
    private readonly JsonElement _source;
    private readonly TemplateNode _root;
    private readonly TemplatePlace _place;

    private Template(
        JsonElement source, TemplateNode root, TemplatePlace place, IReadOnlyList<TemplateReference> references)
    {
        _source = source;
        _root = root;
        _place = place;
        References = references;
    }

    /// <summary>Whether nothing in it changes: filling it gives the element it was parsed from.</summary>
    public bool IsConstant => _root is ConstantNode;

    /// <summary>The paths it reads that are known without data.</summary>
    public IReadOnlyList<TemplateReference> References { get; }

    /// <summary>Parses a value, or throws its first fault.</summary>
    /// <param name="template">Any JSON value.</param>
    /// <param name="place">What errors call it, such as <c>params</c>; empty: its members stand alone.</param>
    /// <exception cref="TemplateException">A string in it cannot be parsed.</exception>
    public static Template Parse(JsonElement template, string place = "$")
    {
        var faults = new List<TemplateFault>();
        return TryParse(template, place, faults, out var parsed)
            ? parsed!
            : throw new TemplateException(faults[0], TemplatePhase.Parse);
    }

    /// <summary>
    /// Parses a value; false with every fault, up to <see cref="TemplateParser.MostFaults"/>, if it has any.
    /// </summary>
    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(
        JsonElement template, string place, ICollection<TemplateFault> faults, out Template? parsed)
    {
        if (template.ValueKind == JsonValueKind.Undefined)
        {
            throw new ArgumentException("There is no JSON value to parse.", nameof(template));
        }

        var parser = new TemplateParser(faults);
        var root = TemplatePlace.Root(place);
        var node = parser.Parse(template, root);
        parsed = parser.HasFaults ? null : new Template(template, node, root, parser.References);
        return parsed is not null;
    }

    /// <summary>Fills it over the data. A constant template costs nothing; of any other every byte is output.</summary>
    /// <exception cref="TemplateException">Anything in it failed, or the budget is used up.</exception>
    public JsonElement Fill(TemplateData data, TemplateBudget budget)
    {
        if (IsConstant)
        {
            return _source;
        }

        var evaluation = new Evaluation(data, budget, TemplatePhase.Fill);
        evaluation.At(_place, "");
        using var output = JsonOutput.Final(evaluation);
        if (_root is OperatorNode single)
        {
            return Fill(single, output, evaluation);
        }

        _root.Write(output, evaluation);
        return output.ToElement();
    }

    private static JsonElement Fill(OperatorNode single, JsonOutput output, Evaluation evaluation)
    {
        var value = single.Evaluate(evaluation);
        if (value.IsElement)
        {
            // Handed out as it is: the budget counts it, nobody copies it.
            evaluation.Output(JsonMarshal.GetRawUtf8Value(value.Element).Length);
            return value.Element;
        }

        output.Value(value);
        return output.ToElement();
    }
}
