using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>A format text such as <c>hello {kws-name}</c>, parsed into plain parts and fields.</summary>
internal sealed class FormatText
{
    private readonly List<Part> _parts = [];
    private readonly StringBuilder _plain = new();
    private string? _fault;

    private FormatText()
    {
    }

    /// <summary>The paths of the fields, up to the first fault.</summary>
    public IEnumerable<FieldPath> Fields => _parts.Select(part => part.Field?.Path).OfType<FieldPath>();

    /// <summary>Parses a text. As in the original, its faults are reported when it is filled.</summary>
    public static FormatText Parse(string text)
    {
        var format = new FormatText();
        for (var position = 0; position < text.Length && format._fault is null;)
        {
            format.ReadNext(text, ref position);
        }

        format.EndPlain();
        return format;
    }

    public void Write(BoundedText text, Evaluation evaluation)
    {
        if (_fault is not null)
        {
            throw evaluation.Fail(TemplateErrorKind.FormatError, _fault);
        }

        foreach (var part in _parts)
        {
            evaluation.Step();
            text.Append(part.Field is { } field ? field.Write(evaluation) : part.Plain);
        }
    }

    private void ReadNext(string text, ref int position)
    {
        var next = text.AsSpan(position).IndexOfAny('{', '}');
        var plain = next < 0 ? text.Length - position : next;
        _plain.Append(text, position, plain);
        position += plain;
        if (position == text.Length)
        {
            return;
        }

        if (position + 1 < text.Length && text[position + 1] == text[position])
        {
            _plain.Append(text[position]);
            position += 2;
            return;
        }

        var end = text.IndexOf('}', position);
        if (end == position || end < 0)
        {
            _fault = "a lone brace; {{ and }} stand for braces in the text.";
            return;
        }

        ReadField(text[(position + 1)..end]);
        position = end + 1;
    }

    private void ReadField(string field)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? field : field[..colon];
        var spec = default(FormatSpec);
        if (name.Length == 0 || name.All(char.IsAsciiDigit))
        {
            _fault =
                $"the field {{{ErrorText.Cut(name, 60)}}} has no name; a name is a key of the data, or a path such as "
                    + "0-total.";
        }
        else if (name.AsSpan().ContainsAny(".[!{"))
        {
            _fault =
                $"the field {{{ErrorText.Cut(name, 60)}}} has one of . [ ! {{ in its name; parts of a path are joined "
                    + "by -.";
        }
        else if (colon >= 0 && !FormatSpec.TryParse(field.AsSpan(colon + 1), out spec))
        {
            _fault =
                $"\"{ErrorText.Cut(field[(colon + 1)..], 60)}\" is not a format spec; a spec is "
                    + "[<>^][0][width][.precision][f|d].";
        }
        else
        {
            EndPlain();
            _parts.Add(
                new Part(
                    "",
                    new Field(name, new FieldPath(name, '-'), colon >= 0 && colon + 1 < field.Length ? spec : null)));
        }
    }

    private void EndPlain()
    {
        if (_plain.Length > 0)
        {
            _parts.Add(new Part(_plain.ToString(), null));
            _plain.Clear();
        }
    }

    private readonly record struct Part(string Plain, Field? Field);

    private sealed record Field(string Name, FieldPath Path, FormatSpec? Spec)
    {
        private static readonly TemplateValue _missing = TemplateValue.Of("???");

        public string Write(Evaluation evaluation)
        {
            // A key that contains a dash has precedence over a path.
            var value = evaluation.Data.TryGetMember(Name, evaluation, out var member)
                ? new TemplateValue(member)
                : Path.Find(evaluation, _missing);
            return Spec is { } spec ? spec.Apply(value, evaluation) : PythonText.Of(value, evaluation);
        }
    }
}
