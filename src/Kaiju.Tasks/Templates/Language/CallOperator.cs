namespace Kaiju.Tasks.Templates;

/// <summary>
/// <c>[!x:name:argument…]</c>: calls a function. Text arguments are parsed as literals. Values of nested operators are
/// passed unchanged.
/// </summary>
internal sealed class CallOperator : TemplateOperator
{
    private readonly LiteralResult?[] _literals;

    public CallOperator(IReadOnlyList<TemplateArgument> arguments)
        : base(arguments) =>
        _literals =
        [
            .. arguments.Skip(1).Select(
                argument => argument.IsText ? PythonLiteral.Read(argument.Text) : (LiteralResult?)null),
        ];

    protected override TemplateValue Apply(TemplateValue[] values, Evaluation evaluation)
    {
        var arguments = values[1..];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = _literals[i]?.Require(evaluation) ?? arguments[i];
        }

        var name = values[0].IsText
            ? values[0].Text(evaluation)
            : throw evaluation.Fail(
                TemplateErrorKind.UnknownFunction, $"a function's name is text, not {values[0].Description}.");
        return TemplateFunctions.Call(name, arguments, evaluation);
    }
}
