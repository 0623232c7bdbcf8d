using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>A part of a parsed template.</summary>
internal abstract class TemplateNode
{
    public abstract void Write(JsonOutput output, Evaluation evaluation);
}

/// <summary>JSON without templates, which is copied unchanged.</summary>
internal sealed class ConstantNode(JsonElement json) : TemplateNode
{
    public override void Write(JsonOutput output, Evaluation evaluation) => output.Raw(json);
}

/// <summary>A text whose backquotes were removed.</summary>
internal sealed class TextNode(string text) : TemplateNode
{
    public override void Write(JsonOutput output, Evaluation evaluation) => output.Text(text);
}

/// <summary>A string that is an operator.</summary>
internal sealed class OperatorNode(TemplatePlace place, string text, TemplateOperator content) : TemplateNode
{
    public TemplateValue Evaluate(Evaluation evaluation)
    {
        evaluation.At(place, text);
        return content.Evaluate(evaluation);
    }

    public override void Write(JsonOutput output, Evaluation evaluation) => output.Value(Evaluate(evaluation));
}

/// <summary>An array that contains a template.</summary>
internal sealed class ArrayNode(IReadOnlyList<TemplateNode> items) : TemplateNode
{
    public override void Write(JsonOutput output, Evaluation evaluation)
    {
        output.StartArray();
        foreach (var item in items)
        {
            item.Write(output, evaluation);
        }

        output.EndArray();
    }
}

/// <summary>An object that contains a template. Its keys are not templates.</summary>
internal sealed class ObjectNode(IReadOnlyList<KeyValuePair<string, TemplateNode>> members) : TemplateNode
{
    public override void Write(JsonOutput output, Evaluation evaluation)
    {
        output.StartObject();
        foreach (var (name, member) in members)
        {
            output.Name(name);
            member.Write(output, evaluation);
        }

        output.EndObject();
    }
}
