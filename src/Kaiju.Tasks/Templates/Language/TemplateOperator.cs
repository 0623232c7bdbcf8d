namespace Kaiju.Tasks.Templates;

/// <summary>An argument of an operator: text, or a nested operator.</summary>
internal readonly record struct TemplateArgument(string Text, TemplateOperator? Operator = null)
{
    public bool IsText => Operator is null;
}

/// <summary>A parsed operator, <c>[…]</c>.</summary>
internal abstract class TemplateOperator(IReadOnlyList<TemplateArgument> arguments)
{
    protected IReadOnlyList<TemplateArgument> Arguments { get; } = arguments;

    /// <summary>Evaluates all nested operators from left to right, and then this operator.</summary>
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
    /// Computes the value from the values of the arguments. The value of a text argument is its text.
    /// </summary>
    protected abstract TemplateValue Apply(TemplateValue[] values, Evaluation evaluation);
}
