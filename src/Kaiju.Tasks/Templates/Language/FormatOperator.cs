namespace Kaiju.Tasks.Templates;

/// <summary><c>[!f:text {field}:…]</c>: texts with fields filled in, joined with commas.</summary>
internal sealed class FormatOperator : TemplateOperator
{
    private readonly FormatText?[] _texts;

    public FormatOperator(IReadOnlyList<TemplateArgument> arguments)
        : base(arguments) =>
        _texts = [.. arguments.Select(argument => argument.IsText ? FormatText.Parse(argument.Text) : null)];

    /// <summary>The paths of the fields in the texts, except for texts that a nested operator computes.</summary>
    public IEnumerable<FieldPath> Fields => _texts.OfType<FormatText>().SelectMany(text => text.Fields);

    protected override TemplateValue Apply(TemplateValue[] values, Evaluation evaluation)
    {
        if (!evaluation.Data.IsObject)
        {
            throw evaluation.Fail(TemplateErrorKind.FormatError, "the data has no named members to format.");
        }

        var text = new BoundedText(evaluation);
        for (var i = 0; i < values.Length; i++)
        {
            text.Append(i == 0 ? "" : ",");
            (_texts[i] ?? Read(values[i], evaluation)).Write(text, evaluation);
        }

        return TemplateValue.Of(text.ToString());
    }

    private static FormatText Read(TemplateValue value, Evaluation evaluation) => value.IsText
        ? FormatText.Parse(value.Text(evaluation))
        : throw evaluation.TypeError($"only text can be formatted, not {value.Description}.");
}
