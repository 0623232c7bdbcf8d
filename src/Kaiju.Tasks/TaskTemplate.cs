using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A text of the template language, validated when it is made. Use it anywhere in the params of a command. In kws, meta
/// and messages, whose templates are not filled, only a literal is allowed.
/// </summary>
/// <remarks>The language is described in docs/templates-and-conditions.md.</remarks>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskTemplate
{
    /// <summary>
    /// Makes a template, such as <c>[0.id]</c>, <c>[kws.name:unknown]</c> or <c>[!f:Dear {kws-name}]</c>.
    /// </summary>
    /// <param name="text">
    /// The template. A text without brackets around it gives that text. For texts that users have written, use
    /// <see cref="Literal"/>.
    /// </param>
    /// <exception cref="ArgumentException">The template is invalid; the message says why.</exception>
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

    /// <summary>The template as it is stored, including the backquotes that protect a literal.</summary>
    public string Text { get; }

    /// <summary>The text that the template always gives; null if it depends on the task's data.</summary>
    internal string? Constant => Text is ['[', .., ']'] ? null
        : !IsQuoted(Text) ? Text
        : Text.Length == 1 ? ""
        : Text[1..^1];

    /// <summary>
    /// Makes a template that gives a text unchanged, even if it contains brackets, colons or backquotes.
    /// </summary>
    /// <param name="text">The text, such as one that a user has written.</param>
    /// <exception cref="ArgumentException">
    /// The text contains U+0000 or a lone surrogate, which cannot be stored.
    /// </exception>
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

    /// <summary>
    /// True if filling the text would remove backquotes around it. A single backquote counts as both of a pair.
    /// </summary>
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
