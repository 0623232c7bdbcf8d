namespace Kaiju.Tasks.Templates;

/// <summary>
/// Sum and difference. The result of integers is an integer; with a float it is a float. A boolean counts as 0 or 1.
/// </summary>
internal static class Arithmetic
{
    public static TemplateValue Sum(IEnumerable<TemplateValue> values, Evaluation evaluation)
    {
        var sum = Number.Zero;
        foreach (var value in values)
        {
            evaluation.Step();
            sum = Bounded(Number.Add(sum, Read(value, evaluation)), evaluation);
        }

        return TemplateValue.Of(sum);
    }

    public static TemplateValue Difference(TemplateValue left, TemplateValue right, Evaluation evaluation) =>
        TemplateValue.Of(Bounded(Number.Subtract(Read(left, evaluation), Read(right, evaluation)), evaluation));

    private static Number Read(TemplateValue value, Evaluation evaluation) =>
        value.TryGetNumber(evaluation, out var number)
        ? number
        : throw evaluation.TypeError($"only numbers can be added and subtracted, not {value.Description}.");

    private static Number Bounded(Number number, Evaluation evaluation) => number switch
    {
        { IsInBounds: true } => number,
        { IsFloat: true } => throw evaluation.ValueError("the result is too large for a number."),
        _ => throw Number.TooLong(evaluation),
    };
}
