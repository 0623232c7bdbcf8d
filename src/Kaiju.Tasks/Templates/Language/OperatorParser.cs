namespace Kaiju.Tasks.Templates;

/// <summary>Parses one string of a template into text or an operator.</summary>
internal sealed class OperatorParser(TemplatePlace place, string template, ICollection<TemplateReference> references)
{
    /// <summary>The fault, if parsing has returned null.</summary>
    public TemplateFault? Fault { get; private set; }

    public TemplateArgument? Parse() => Parse(template, 0);

    // Spans, so that nested levels of a template are not copied.
    private TemplateArgument? Parse(ReadOnlySpan<char> text, int depth)
    {
        var opens = text.StartsWith('[');
        var closes = text.EndsWith(']');
        if (!opens && !closes)
        {
            return new TemplateArgument(Unquote(text).ToString());
        }

        if (!opens || !closes)
        {
            var subject = depth == 0 ? "the text" : $"the argument \"{ErrorText.Cut(text.ToString(), 60)}\"";
            return Fail(
                TemplateErrorKind.Unbalanced,
                $"{subject} only {(opens ? "starts with \"[\"" : "ends with \"]\"")}. Use the format operator or "
                    + "backquotes.");
        }

        return depth < TemplateBudget.DefaultDepth
            ? ParseOperator(text[1..^1], depth + 1)
            : Fail(
                TemplateErrorKind.LimitExceeded,
                $"operators are nested deeper than {TemplateBudget.DefaultDepth} levels.");
    }

    private TemplateArgument? ParseOperator(ReadOnlySpan<char> content, int depth)
    {
        var arguments = new List<TemplateArgument>();
        foreach (var part in Split(content))
        {
            if (Parse(content[part], depth) is not { } argument)
            {
                return null;
            }

            arguments.Add(argument);
        }

        if (arguments.Count == 0)
        {
            return Fail(TemplateErrorKind.EmptyOperator, "there is nothing between the brackets.");
        }

        var name = "s";
        if (arguments[0].IsText && arguments[0].Text.StartsWith('!'))
        {
            name = arguments[0].Text[1..];
            arguments.RemoveAt(0);
        }

        return Create(name, arguments);
    }

    private TemplateArgument? Create(string name, List<TemplateArgument> arguments)
    {
        if (name is not ("s" or "f" or "e" or "x"))
        {
            return Fail(
                TemplateErrorKind.UnknownOperator,
                $"there is no operator \"!{ErrorText.Cut(name, 40)}\". There are !s (select), !f (format), !e "
                    + "(literals), !x (functions).");
        }

        if (arguments.Count == 0)
        {
            return Fail(TemplateErrorKind.NoArguments, $"the operator !{name} has no arguments.");
        }

        return new TemplateArgument("", name switch
        {
            "s" => Referring(new SelectOperator(arguments)),
            "f" => Referring(new FormatOperator(arguments)),
            "e" => new EvalOperator(arguments),
            _ => new CallOperator(arguments),
        });
    }

    private SelectOperator Referring(SelectOperator select)
    {
        if (select.Path is { } path)
        {
            references.Add(new TemplateReference(place, ReferenceKind.Select, path.Parts, select.HasDefault));
        }

        return select;
    }

    private FormatOperator Referring(FormatOperator format)
    {
        foreach (var field in format.Fields)
        {
            references.Add(new TemplateReference(place, ReferenceKind.Format, field.Parts, hasDefault: true));
        }

        return format;
    }

    /// <summary>Splits at the colons outside backquotes and brackets. An empty last part is omitted.</summary>
    private static List<Range> Split(ReadOnlySpan<char> content)
    {
        var parts = new List<Range>();
        var (start, depth, quoted) = (0, 0, false);
        for (var i = 0; i < content.Length; i++)
        {
            switch (content[i])
            {
                case '`':
                    quoted = !quoted;
                    break;
                case '[' when !quoted:
                    depth++;
                    break;
                case ']' when !quoted:
                    depth--;
                    break;
                case ':' when !quoted && depth == 0:
                    parts.Add(start..i);
                    start = i + 1;
                    break;
            }
        }

        if (start < content.Length)
        {
            parts.Add(start..content.Length);
        }

        return parts;
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> text) => text switch
    {
        ['`'] => [],
        ['`', .. var inside, '`'] => inside,
        _ => text,
    };

    private TemplateArgument? Fail(string kind, string reason)
    {
        Fault = new TemplateFault(place, template, kind, reason);
        return null;
    }
}
