using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Parses literals of Python and of JSON: numbers, quoted text, <c>True</c>, <c>null</c>, <c>[1, 'a']</c>,
/// <c>{'k': (1, 2)}</c>.
/// </summary>
internal ref struct PythonLiteral
{
    private readonly ReadOnlySpan<char> _text;
    private int _position;
    private bool _tooDeep;

    private PythonLiteral(ReadOnlySpan<char> text) => _text = text;

    /// <param name="text">The text.</param>
    /// <param name="isData">
    /// True if the text is data, which an error must not show; false if the template has it.
    /// </param>
    public static LiteralResult Read(string text, bool isData = false)
    {
        var reader = new PythonLiteral(text.AsSpan().TrimStart(" \t").TrimEnd());
        if (reader.TryValue(0, out var value) && reader._position == reader._text.Length)
        {
            return LiteralResult.Of(value);
        }

        return reader._tooDeep
            ? LiteralResult.TooDeep()
            : LiteralResult.NoLiteral(isData ? JsonShape.Of(text) : ErrorText.Cut(text, 60));
    }

    private bool TryValue(int depth, out TemplateValue value)
    {
        value = default;
        switch (Peek())
        {
            case '\'' or '"':
                var isText = PythonTextLiteral.TryRead(_text, ref _position, out var text);
                value = TemplateValue.Of(text);
                return isText;
            case '[':
                return TryItems(']', depth + 1, out value);
            case '(':
                return TryItems(')', depth + 1, out value);
            case '{':
                return TryMembers(depth + 1, out value);
            case '+' or '-' or '.' or (>= '0' and <= '9'):
                return TryNumber(depth, out value);
            default:
                return TryWord(out value);
        }
    }

    private bool TryItems(char close, int depth, out TemplateValue value)
    {
        value = default;
        if (!Enter(depth))
        {
            return false;
        }

        var items = new List<TemplateValue>();
        var comma = true;
        while (!TryTake(close))
        {
            if (!comma || !TryValue(depth, out var item))
            {
                return false;
            }

            items.Add(item);
            comma = TryTake(',');
        }

        // Parentheses without a comma are a group: (1) is 1, (1,) is an array.
        var grouped = close == ')' && items.Count == 1 && !comma;
        value = grouped ? items[0] : TemplateValue.Of(items.ToArray());
        return true;
    }

    private bool TryMembers(int depth, out TemplateValue value)
    {
        value = default;
        if (!Enter(depth))
        {
            return false;
        }

        var members = new OrderedDictionary<string, TemplateValue>();
        var comma = true;
        while (!TryTake('}'))
        {
            if (!comma || Peek() is not ('\'' or '"') || !PythonTextLiteral.TryRead(_text, ref _position, out var name)
                || !TryTake(':'))
            {
                return false;
            }

            SkipSpace();
            if (!TryValue(depth, out var member))
            {
                return false;
            }

            members[name] = member;
            comma = TryTake(',');
        }

        value = TemplateValue.Of(members);
        return true;
    }

    private bool TryNumber(int depth, out TemplateValue value)
    {
        value = default;
        var negative = Peek() == '-';
        if (Peek() is '+' or '-')
        {
            _position++;
            SkipSpace(depth);
        }

        var isNumber = PythonNumberLiteral.TryRead(_text, ref _position, negative, out var number);
        value = TemplateValue.Of(number);
        return isNumber;
    }

    private bool TryWord(out TemplateValue value)
    {
        var start = _position;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() == '_')
        {
            _position++;
        }

        var word = _text[start.._position];
        value = word switch
        {
            "True" or "true" => TemplateValue.True,
            "False" or "false" => TemplateValue.False,
            "None" or "null" => TemplateValue.Null,
            _ => default,
        };
        return value.Kind != JsonValueKind.Undefined;
    }

    // Reads the opening bracket if the depth allows another level.
    private bool Enter(int depth)
    {
        _position++;
        SkipSpace();
        _tooDeep |= depth > TemplateBudget.DefaultDepth;
        return !_tooDeep;
    }

    private bool TryTake(char expected)
    {
        SkipSpace();
        if (Peek() != expected)
        {
            return false;
        }

        _position++;
        SkipSpace();
        return true;
    }

    // Line breaks are allowed only inside brackets.
    private void SkipSpace(int depth = 1)
    {
        while (Peek() is ' ' or '\t' or '\f' || (depth > 0 && Peek() is '\n' or '\r'))
        {
            _position++;
        }
    }

    private readonly char Peek() => _position < _text.Length ? _text[_position] : '\0';
}
