using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>A fault of a template or a condition: its place, its kind, and the remedy.</summary>
internal sealed class TemplateFault(
    TemplatePlace place, string text, string kind, string reason, bool isFilled = false)
{
    /// <summary>The kind: a constant of <see cref="TemplateErrorKind"/>.</summary>
    public string Kind { get; } = kind;

    /// <summary>The place, such as <c>params.items[2]</c>.</summary>
    public string Place => place.ToString();

    /// <summary>
    /// The template's text, or the condition's JSON, cut to <see cref="ErrorText.Longest"/> characters.
    /// </summary>
    public string Text { get; } = ErrorText.Cut(text);

    /// <summary>
    /// Returns the fault for a condition that was filled with data. It is stored, so it shows the kind and the length
    /// of the JSON instead of the JSON.
    /// </summary>
    public TemplateFault OfFilled(JsonElement json) =>
        new(place, JsonShape.Of(json), Kind, Reason, isFilled: true);

    /// <summary>A sentence that names the fault and, if there is one, the remedy.</summary>
    public string Reason { get; } = reason;

    public string Message => $"{Place}{(isFilled ? $" ({Text})" : $": \"{Text}\"")}: {Kind}: {Reason}";

    public override string ToString() => Message;
}
