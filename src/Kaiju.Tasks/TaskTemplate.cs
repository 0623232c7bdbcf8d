using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A text of the template language, checked when it is made. It may stand anywhere in params, as a member or an entry,
/// and is written as its text. In kws, meta and messages, which are never filled, a literal is written as the text
/// itself and a template is refused.
/// </summary>
/// <remarks>See docs/templates-and-conditions.md for the language.</remarks>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskTemplate
{
    /// <summary>A template: <c>[0.id]</c>, <c>[kws.name:nobody]</c>, <c>[!f:Dear {kws-name}]</c>.</summary>
    /// <param name="text">The template. A text without brackets around it is a template too, of that text.</param>
    /// <exception cref="ArgumentException">
    /// It cannot be read; the message says why. A user's text goes through <see cref="Literal"/>.
    /// </exception>
    public TaskTemplate(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Text = FindFault(text) is { } fault
            ? throw new ArgumentException(
                $"The template {JsonText.Quote(text)} cannot be read: {fault} A text that is not a template goes "
                    + $"through {nameof(TaskTemplate)}.{nameof(Literal)}.",
                nameof(text))
            : text;
    }

    /// <summary>The template as it is stored: of a literal with the backquotes that protect it.</summary>
    public string Text { get; }

    /// <summary>What it always gives; null if that depends on the task's data.</summary>
    internal string? Constant => Text is ['[', .., ']'] ? null
        : !IsQuoted(Text) ? Text
        : Text.Length == 1 ? ""
        : Text[1..^1];

    /// <summary>A template that gives a text as it is, whatever stands in it: brackets, colons, backquotes.</summary>
    /// <param name="text">Any text that JSON can hold, such as one that a user has written.</param>
    /// <exception cref="ArgumentException">It has U+0000 or half of a surrogate pair, which stores refuse.</exception>
    public static TaskTemplate Literal(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (StorableText.FindFault(text) is { } fault)
        {
            throw new ArgumentException($"The text {fault}", nameof(text));
        }

        var isPlain = !text.StartsWith('[') && !text.EndsWith(']') && !IsQuoted(text);
        return new TaskTemplate(isPlain ? text : $"`{text}`");
    }

    /// <summary>The template's text.</summary>
    public override string ToString() => Text;

    /// <summary>A pair of backquotes around a text is cut off, and a lone one is both of a pair.</summary>
    private static bool IsQuoted(string text) => text.StartsWith('`') && text.EndsWith('`');

    private static string? FindFault(string text)
    {
        if (StorableText.FindFault(text) is { } unfit)
        {
            return $"it {unfit}";
        }

        var faults = new List<TemplateFault>();
        return Template.TryParse(JsonWriting.Text(text), "template", faults, out _) ? null : faults[0].Reason;
    }
}
