namespace Kaiju.Tasks.Templates;

/// <summary><c>[!e:literal]</c>: the value of a literal, or an array of the values of several literals.</summary>
internal sealed class EvalOperator : TemplateOperator
{
    private readonly LiteralResult?[] _literals;

    public EvalOperator(IReadOnlyList<TemplateArgument> arguments)
        : base(arguments) =>
        _literals = [
            .. arguments.Select(
                argument => argument.IsText ? PythonLiteral.Read(argument.Text) : (LiteralResult?)null)];

    protected override TemplateValue Apply(TemplateValue[] values, Evaluation evaluation)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (_literals[i] ?? Read(values[i], evaluation)).Require(evaluation);
        }

        return values.Length == 1 ? values[0] : TemplateValue.Of(values);
    }

    private static LiteralResult Read(TemplateValue value, Evaluation evaluation) => value.IsText
        ? PythonLiteral.Read(value.Text(evaluation), isData: true)
        : throw evaluation.Fail(
            TemplateErrorKind.LiteralError, $"a literal is read from text, not from {value.Description}.");
}
