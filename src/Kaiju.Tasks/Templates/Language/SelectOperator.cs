namespace Kaiju.Tasks.Templates;

/// <summary><c>[path]</c> and <c>[path:default]</c>: selects a value of the data.</summary>
internal sealed class SelectOperator : TemplateOperator
{
    private readonly FieldPath? _path;
    private readonly LiteralResult? _default;

    public SelectOperator(IReadOnlyList<TemplateArgument> arguments)
        : base(arguments)
    {
        _path = arguments[0].IsText ? new FieldPath(arguments[0].Text, '.') : null;
        _default = HasDefault && arguments[1].IsText ? PythonLiteral.Read(arguments[1].Text) : null;
    }

    /// <summary>The path; null if a nested operator computes it.</summary>
    public FieldPath? Path => _path;

    public bool HasDefault => Arguments.Count > 1;

    protected override TemplateValue Apply(TemplateValue[] values, Evaluation evaluation)
    {
        if (!values[0].IsText)
        {
            throw evaluation.TypeError($"a path is text, not {values[0].Description}.");
        }

        TemplateValue? fallback = !HasDefault ? null : _default?.OrText(Arguments[1].Text, evaluation) ?? values[1];
        return (_path ?? Read(values[0], evaluation)).Find(evaluation, fallback);
    }

    private static FieldPath Read(TemplateValue value, Evaluation evaluation) => new(value.Text(evaluation), '.');
}
