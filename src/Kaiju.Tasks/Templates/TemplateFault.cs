namespace Kaiju.Tasks.Templates;

/// <summary>One thing that is wrong with a template or a condition: where, what, and what to do about it.</summary>
internal sealed class TemplateFault(TemplatePlace place, string text, string kind, string reason)
{
    /// <summary>One of <see cref="TemplateErrorKind"/>.</summary>
    public string Kind { get; } = kind;

    /// <summary>Such as <c>params.items[2]</c>.</summary>
    public string Place => place.ToString();

    /// <summary>The template's text, or the condition's JSON, cut to <see cref="ErrorText.Longest"/> characters.</summary>
    public string Text { get; } = ErrorText.Cut(text);

    /// <summary>A sentence that says what is wrong and, where there is one, the way out.</summary>
    public string Reason { get; } = reason;

    public string Message => $"{Place}: \"{Text}\": {Kind}: {Reason}";

    public override string ToString() => Message;
}
