namespace Kaiju.Tasks.Templates;

/// <summary>A literal that was parsed, or the reason for which a text is not a literal.</summary>
internal readonly struct LiteralResult
{
    private readonly TemplateValue _value;
    private readonly string? _kind;
    private readonly string? _reason;

    private LiteralResult(TemplateValue value, string? kind, string? reason) =>
        (_value, _kind, _reason) = (value, kind, reason);

    public static LiteralResult Of(TemplateValue value) => new(value, null, null);

    public static LiteralResult NoLiteral(string shown) => new(
        default,
        TemplateErrorKind.LiteralError,
        $"{shown} is not a literal. Text needs quotes, arrays and objects need backquotes around them.");

    public static LiteralResult TooDeep() => new(
        default,
        TemplateErrorKind.LimitExceeded,
        $"a literal is nested deeper than {TemplateBudget.DefaultDepth} levels.");

    /// <summary>The literal's value; a text that is not a literal is an error.</summary>
    public TemplateValue Require(Evaluation evaluation) =>
        _kind is null ? _value : throw evaluation.Fail(_kind, _reason!);

    /// <summary>The literal's value, or the text itself if it is not a literal.</summary>
    public TemplateValue OrText(string text, Evaluation evaluation) =>
        _kind == TemplateErrorKind.LiteralError ? TemplateValue.Of(text) : Require(evaluation);
}
