namespace Kaiju.Tasks.Templates;

/// <summary>An argument of an operator: text, or an operator whose value it is.</summary>
internal readonly record struct TemplateArgument(string Text, TemplateOperator? Operator = null)
{
    public bool IsText => Operator is null;
}

/// <summary>A parsed <c>[…]</c>.</summary>
internal abstract class TemplateOperator(IReadOnlyList<TemplateArgument> arguments)
{
    protected IReadOnlyList<TemplateArgument> Arguments { get; } = arguments;

    /// <summary>Fills the nested operators, left to right and all of them, then does its work.</summary>
    public TemplateValue Evaluate(Evaluation evaluation)
    {
        evaluation.Step(1 + Arguments.Count);
        var values = new TemplateValue[Arguments.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Arguments[i].Operator?.Evaluate(evaluation) ?? TemplateValue.Of(Arguments[i].Text);
        }

        return Apply(values, evaluation);
    }

    /// <summary>
    /// Computes the value from those of the arguments; a text argument stands there as it is written.
    /// </summary>
    protected abstract TemplateValue Apply(TemplateValue[] values, Evaluation evaluation);
}
