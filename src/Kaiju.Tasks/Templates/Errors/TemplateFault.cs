using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>One thing that is wrong with a template or a condition: where, what, and what to do about it.</summary>
internal sealed class TemplateFault(
    TemplatePlace place, string text, string kind, string reason, bool isFilled = false)
{
    /// <summary>One of <see cref="TemplateErrorKind"/>.</summary>
    public string Kind { get; } = kind;

    /// <summary>Such as <c>params.items[2]</c>.</summary>
    public string Place => place.ToString();

    /// <summary>
    /// The template's text, or the condition's JSON, cut to <see cref="ErrorText.Longest"/> characters.
    /// </summary>
    public string Text { get; } = ErrorText.Cut(text);

    /// <summary>
    /// The same fault of a condition that was filled with data: it is stored, so it shows kind and length and not the
    /// JSON.
    /// </summary>
    public TemplateFault OfFilled(JsonElement json) =>
        new(place, JsonShape.Of(json), Kind, Reason, isFilled: true);

    /// <summary>A sentence that says what is wrong and, where there is one, the way out.</summary>
    public string Reason { get; } = reason;

    public string Message => $"{Place}{(isFilled ? $" ({Text})" : $": \"{Text}\"")}: {Kind}: {Reason}";

    public override string ToString() => Message;
}
