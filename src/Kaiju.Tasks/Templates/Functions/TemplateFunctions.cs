using System.Collections.Frozen;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// The functions of <c>[!x:name:…]</c>. They use their arguments as a whole, not the elements of an array argument.
/// </summary>
internal static class TemplateFunctions
{
    private static readonly FrozenDictionary<string, Func<FunctionCall, TemplateValue>> _functions =
        new Dictionary<string, Func<FunctionCall, TemplateValue>>
        {
            ["true"] = _ => TemplateValue.True,
            ["str"] = call => TemplateValue.Of(PythonText.Of(call.First, call.Evaluation)),
            ["len"] = call => Length(call.First, call.Evaluation),
            ["int"] = call => Integer(call),
            ["bool"] = call => TemplateValue.Of(call.First.IsTrue(call.Evaluation)),
            ["not"] = call => TemplateValue.Of(!call.First.IsTrue(call.Evaluation)),
            ["sum"] = call => Arithmetic.Sum(call.Arguments, call.Evaluation),
            ["diff"] = call => Arithmetic.Difference(call.First, call.Argument(1), call.Evaluation),
            ["max"] = call => PythonComparison.Extreme(call.Arguments, largest: true, call.Evaluation),
            ["min"] = call => PythonComparison.Extreme(call.Arguments, largest: false, call.Evaluation),
            ["all"] = call => TemplateValue.Of(call.Arguments.All(value => value.IsTrue(call.Evaluation))),
            ["any"] = call => TemplateValue.Of(call.Arguments.Any(value => value.IsTrue(call.Evaluation))),
            ["first"] = call => call.First,
            ["last"] = call => call.Argument(Math.Max(call.Arguments.Count - 1, 0)),
            ["capitalize"] = TextFunctions.Capitalize,
            ["upper"] = TextFunctions.Upper,
            ["lower"] = TextFunctions.Lower,
            ["split"] = TextFunctions.Split,
            ["join"] = TextFunctions.Join,
            ["uuid4"] = SourceFunctions.Uuid4,
            ["now"] = SourceFunctions.Now,
            ["utcnow"] = SourceFunctions.UtcNow,
            ["now_date"] = SourceFunctions.NowDate,
            ["timestamp"] = SourceFunctions.Timestamp,
            ["random"] = SourceFunctions.Random,
            ["randint"] = SourceFunctions.RandInt,
            ["urandom"] = SourceFunctions.URandom,
            ["datetime"] = DateFunctions.DateTimeOf,
            ["date"] = DateFunctions.DateOf,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> Names => _functions.Keys;

    public static TemplateValue Call(string name, TemplateValue[] arguments, Evaluation evaluation) =>
        _functions.TryGetValue(name, out var function)
            ? function(new FunctionCall(name, arguments, evaluation))
            : throw evaluation.Fail(
                TemplateErrorKind.UnknownFunction,
                $"there is no function \"{ErrorText.Cut(name, 40)}\". There are "
                    + $"{string.Join(", ", Names.Order(StringComparer.Ordinal))}.");

    /// <summary>The number of code points of a text, elements of an array or members of an object.</summary>
    public static TemplateValue Length(TemplateValue value, Evaluation evaluation)
    {
        if (value.Kind is JsonValueKind.Array or JsonValueKind.Object)
        {
            return TemplateValue.Of(new BigInteger(value.Count));
        }

        if (!value.IsText)
        {
            throw evaluation.TypeError($"{value.Description} has no length.");
        }

        return TemplateValue.Of(new BigInteger(TextFunctions.CodePoints(value.Text(evaluation))));
    }

    private static TemplateValue Integer(FunctionCall call)
    {
        if (call.First.IsText)
        {
            return TemplateValue.Of(ReadInteger(call));
        }

        if (!call.First.TryGetNumber(call.Evaluation, out var number))
        {
            throw call.TypeError($"a number, a boolean or text, not {call.First.Description}");
        }

        if (!number.IsFloat)
        {
            return TemplateValue.Of(number);
        }

        return double.IsFinite(number.Float)
            ? TemplateValue.Of(new BigInteger(Math.Truncate(number.Float)))
            : throw call.ValueError("the number is infinite.");
    }

    private static BigInteger ReadInteger(FunctionCall call)
    {
        var text = call.Text(0).Trim();
        var digits = text.StartsWith('-') || text.StartsWith('+') ? text[1..] : text;
        var wellFormed = digits.Length > 0 && digits[^1] != '_' && digits[0] != '_'
            && !digits.Contains("__", StringComparison.Ordinal)
            && digits.All(c => char.IsAsciiDigit(c) || c == '_');
        if (!wellFormed)
        {
            throw call.ValueError($"{JsonShape.Of(text)} is not a whole number.");
        }

        var plain = digits.Replace("_", "", StringComparison.Ordinal);
        if (plain.Length > Number.LongestInteger)
        {
            throw Number.TooLong(call.Evaluation);
        }

        var value = BigInteger.Parse(plain, NumberStyles.None, CultureInfo.InvariantCulture);
        return text[0] == '-' ? -value : value;
    }
}
