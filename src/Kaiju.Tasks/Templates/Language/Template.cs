using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>A JSON value that contains templates: parsed once, filled often. Immutable and thread-safe.</summary>
/// <remarks>
/// It refers to the memory of the element from which it was parsed. The document of that element must not be disposed
/// of.
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

    /// <summary>True if the value contains no templates: filling it returns the original element.</summary>
    public bool IsConstant => _root is ConstantNode;

    /// <summary>True if the text cannot be a template.</summary>
    public static bool IsPlain(string text) => text.AsSpan().IndexOfAny('[', ']', '`') < 0;

    /// <summary>The paths that it reads, as far as they are known without data.</summary>
    public IReadOnlyList<TemplateReference> References { get; }

    /// <summary>Parses a value; throws its first fault.</summary>
    /// <param name="template">Any JSON value.</param>
    /// <param name="place">
    /// The name of the value in errors, such as <c>params</c>; empty for members without a prefix.
    /// </param>
    /// <exception cref="TemplateException">A string of the value cannot be parsed.</exception>
    public static Template Parse(JsonElement template, string place = "$")
    {
        var faults = new List<TemplateFault>();
        return TryParse(template, place, faults, out var parsed)
            ? parsed!
            : throw new TemplateException(faults[0], TemplatePhase.Parse);
    }

    /// <summary>
    /// Parses a value; false if it has faults, of which up to <see cref="TemplateParser.MostFaults"/> are reported.
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

    /// <summary>
    /// Fills the templates with data. A constant value costs nothing; of any other value, all bytes count as output.
    /// </summary>
    /// <exception cref="TemplateException">A template failed, or the budget is exhausted.</exception>
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
            // The element is returned without a copy, but it counts as output.
            evaluation.Output(JsonMarshal.GetRawUtf8Value(value.Element).Length);
            return value.Element;
        }

        output.Value(value);
        return output.ToElement();
    }
}
