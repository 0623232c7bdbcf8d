using System.Numerics;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The arguments of a function. Reading one that is missing or of the wrong kind is an error.</summary>
internal sealed class FunctionCall(string name, TemplateValue[] arguments, Evaluation evaluation)
{
    public Evaluation Evaluation { get; } = evaluation;

    public TemplateSources Sources => Evaluation.Budget.Sources;

    public IReadOnlyList<TemplateValue> Arguments => arguments;

    public TemplateValue First => Argument(0);

    public TemplateValue Argument(int index) => index < arguments.Length
        ? arguments[index]
        : throw Evaluation.Fail(
            TemplateErrorKind.IndexError,
            $"{name} needs {index + 1} argument{(index == 0 ? "" : "s")} or more, and has {arguments.Length}.");

    public string Text(int index) => Argument(index).IsText
        ? arguments[index].Text(Evaluation)
        : throw TypeError($"text as argument {index + 1}, not {arguments[index].Description}");

    public BigInteger Integer(int index) =>
        Argument(index).Kind == JsonValueKind.Number && arguments[index].TryGetNumber(Evaluation, out var number)
            && !number.IsFloat
            ? number.Integer
            : throw TypeError($"an integer as argument {index + 1}");

    public TemplateException TypeError(string wanted) => Evaluation.TypeError($"{name} wants {wanted}.");

    public TemplateException ValueError(string reason) => Evaluation.ValueError($"{name}: {reason}");
}
