using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The value of an operator: an unchanged element of the data, or a computed value.</summary>
/// <remarks>
/// An element keeps its spelling (<c>1.50</c>, <c>1e5</c>) in the output, since it is not parsed as a number.
/// </remarks>
internal readonly struct TemplateValue
{
    public static readonly TemplateValue Null = new(JsonElement.Parse("null"u8));
    public static readonly TemplateValue True = new(JsonElement.Parse("true"u8));
    public static readonly TemplateValue False = new(JsonElement.Parse("false"u8));

    // The length of the two quotes.
    private const int EmptyText = 2;

    private readonly JsonElement _element;

    // A string, a Number, a TemplateValue[] or an OrderedDictionary<string, TemplateValue>; null for an element.
    private readonly object? _computed;

    public TemplateValue(JsonElement element)
    {
        _element = element;
        Kind = element.ValueKind;
    }

    private TemplateValue(JsonValueKind kind, object computed)
    {
        Kind = kind;
        _computed = computed;
    }

    public JsonValueKind Kind { get; }

    /// <summary>True for an element of the data, false for a computed value.</summary>
    public bool IsElement => _computed is null;

    public JsonElement Element => _element;

    public bool IsText => Kind == JsonValueKind.String;

    /// <summary>The kind of the value in words, for errors.</summary>
    public string Description => Kind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Number => "a number",
        JsonValueKind.String => "text",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    public static TemplateValue Of(string text) => new(JsonValueKind.String, text);

    public static TemplateValue Of(Number number) => new(JsonValueKind.Number, number);

    public static TemplateValue Of(BigInteger integer) => Of(new Number(integer));

    public static TemplateValue Of(bool value) => value ? True : False;

    public static TemplateValue Of(TemplateValue[] items) => new(JsonValueKind.Array, items);

    public static TemplateValue Of(OrderedDictionary<string, TemplateValue> members) =>
        new(JsonValueKind.Object, members);

    /// <summary>The text. Call it only for text.</summary>
    public string Text(Evaluation evaluation) => _computed as string ?? evaluation.ReadText(_element);

    /// <summary>The number of elements of an array or of members of an object.</summary>
    public int Count => _computed switch
    {
        TemplateValue[] items => items.Length,
        OrderedDictionary<string, TemplateValue> members => members.Count,
        _ => Kind == JsonValueKind.Array ? _element.GetArrayLength() : _element.GetPropertyCount(),
    };

    /// <summary>The elements of an array. Each costs a step.</summary>
    public IEnumerable<TemplateValue> Items(Evaluation evaluation)
    {
        if (_computed is TemplateValue[] items)
        {
            foreach (var item in items)
            {
                evaluation.Step();
                yield return item;
            }

            yield break;
        }

        foreach (var item in _element.EnumerateArray())
        {
            evaluation.Step();
            yield return new TemplateValue(item);
        }
    }

    /// <summary>The members of an object in their order. Each costs a step.</summary>
    public IEnumerable<KeyValuePair<string, TemplateValue>> Members(Evaluation evaluation)
    {
        if (_computed is OrderedDictionary<string, TemplateValue> members)
        {
            foreach (var member in members)
            {
                evaluation.Step();
                yield return member;
            }

            yield break;
        }

        foreach (var member in _element.EnumerateObject())
        {
            evaluation.Step();
            yield return new(evaluation.ReadName(member), new TemplateValue(member.Value));
        }
    }

    public bool TryGetMember(string name, Evaluation evaluation, out TemplateValue member)
    {
        if (_computed is OrderedDictionary<string, TemplateValue> members)
        {
            evaluation.Step();
            return members.TryGetValue(name, out member);
        }

        var found = evaluation.TryGetMember(_element, name, out var element);
        member = found ? new TemplateValue(element) : default;
        return found;
    }

    /// <summary>The value as a number. As in Python, a boolean is a number, 0 or 1.</summary>
    public bool TryGetNumber(Evaluation evaluation, out Number number)
    {
        number = Kind switch
        {
            JsonValueKind.True => Number.One,
            JsonValueKind.Number => _computed is Number computed ? computed : ReadNumber(evaluation),
            _ => Number.Zero,
        };
        return Kind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;
    }

    /// <summary>True if the value is true in Python: null, false, zero and empty values are not.</summary>
    public bool IsTrue(Evaluation evaluation) => Kind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.Number => TryGetNumber(evaluation, out var number) && !number.IsZero,
        JsonValueKind.String =>
            _computed is string text ? text.Length > 0 : JsonMarshal.GetRawUtf8Value(_element).Length > EmptyText,
        JsonValueKind.Array or JsonValueKind.Object => Count > 0,
        _ => false,
    };

    private Number ReadNumber(Evaluation evaluation)
    {
        var raw = JsonMarshal.GetRawUtf8Value(_element);
        evaluation.Scan(raw.Length);
        return Number.TryRead(Encoding.ASCII.GetString(raw), out var number)
            ? number
            : throw Number.TooLong(evaluation);
    }
}
