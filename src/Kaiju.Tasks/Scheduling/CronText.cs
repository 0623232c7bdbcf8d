using System.Globalization;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Scheduling;

/// <summary>
/// Validates a cron expression field by field, so that a message names the field and its allowed values. Cronos accepts
/// more: <c>H</c> as in Jenkins, and <c>?</c> in any field, which would turn an AWS expression into an hourly one. See
/// docs/scheduling.md.
/// </summary>
internal static class CronText
{
    private const string Rule = "it must have five fields, six with seconds first, or be a macro such as @daily.";
    private const string NoYears =
        "With six fields the first is seconds; a field for years, as AWS and Quartz have, is not supported.";

    private static readonly Field[] _fields =
    [
        new("second", 0, 59),
        new("minute", 0, 59),
        new("hour", 0, 23),
        new("day of month", 1, 31) { IsOfDays = true },
        new("month", 1, 12)
        {
            Names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        },
        new("day of week", 0, 7) { IsOfDays = true, Names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
    ];

    /// <summary>The fields of an expression; one for a macro.</summary>
    public static string[] Split(string cron) => cron.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The fault, as the text that follows the expression in a message; null if there is none.</summary>
    public static string? FindFault(string[] fields) => fields switch
    {
        [['@', ..]] => null,
        { Length: 7 } => "it has 7 fields; it must have five, or six with seconds first. A field for years, as Quartz "
            + "has, is not supported.",
        { Length: 5 or 6 } => FindFault(fields, _fields.AsSpan(6 - fields.Length)),
        _ => string.Create(CultureInfo.InvariantCulture, $"it has {fields.Length} fields; {Rule}"),
    };

    private static string? FindFault(string[] texts, ReadOnlySpan<Field> fields)
    {
        for (var i = 0; i < texts.Length; i++)
        {
            if (fields[i].FindFault(texts[i]) is { } fault)
            {
                var hint = texts[i].Contains('?', StringComparison.Ordinal) && texts.Length == 6 && !fields[i].IsOfDays
                    ? $" {NoYears}"
                    : "";
                return $"the field \"{fields[i].Name}\" {fault}{hint}";
            }
        }

        return null;
    }

    /// <summary>The rules of one of the six fields.</summary>
    private sealed record Field(string Name, int Least, int Most)
    {
        public string[] Names { get; init; } = [];

        public bool IsOfDays { get; init; }

        private bool IsOfMonthDays => IsOfDays && Names.Length == 0;

        private string Values =>
            Names.Length == 0 ? $"{Least} to {Most}" : $"{Least} to {Most} or {Names[0]} to {Names[^1]}";

        private string Rule =>
            $"it must be *{(IsOfDays ? ", ?" : "")}, */n, "
                + $"{(IsOfMonthDays ? "L, L-n, LW, nW, " : IsOfDays ? "nL, n#1 to n#5, " : "")}"
            + $"or a list of numbers ({Values}), ranges a-b and steps a/n and a-b/n.";

        public string? FindFault(string text)
        {
            var items = text.Split(',');
            if (items.Length == 1 && text[0] is ('*' or '?'))
            {
                return text[0] == '?' && !IsOfDays
                    ? $"is {JsonText.Quote(text)}; \"?\" may stand only in the two day fields."
                    : text.Length == 1 ? null
                    : text[1] == '/' ? FindStepFault(text, text[2..])
                    : NotAllowed(text);
            }

            if (IsOfDays && IsDay(text))
            {
                return null;
            }

            return items.Select(item => FindItemFault(text, item)).FirstOrDefault(fault => fault is not null);
        }

        private string NotAllowed(string text) => $"is {JsonText.Quote(text)}; {Rule}";

        private string? FindStepFault(string text, string step) => Number(step) is not { } number ? NotAllowed(text)
            : number < 1 || number > Most ? $"is {JsonText.Quote(text)}; a step must be from 1 to {Most}."
            : null;

        private string? FindItemFault(string text, string item)
        {
            if (text.Length > item.Length && (item.Length == 0 || item[0] is '*' or '?' || (IsOfDays && IsDay(item))))
            {
                return $"is {JsonText.Quote(text)}; in a list may stand only numbers, ranges a-b and steps a/n and "
                    + "a-b/n.";
            }

            var step = item.IndexOf('/', StringComparison.Ordinal);
            if (step >= 0 && FindStepFault(text, item[(step + 1)..]) is { } fault)
            {
                return fault;
            }

            foreach (var value in (step >= 0 ? item[..step] : item).Split('-', 2))
            {
                if (Value(value) is not { } number)
                {
                    return NotAllowed(text);
                }

                if (number < Least || number > Most)
                {
                    return $"is {JsonText.Quote(text)}; {value} is not from {Least} to {Most}.";
                }
            }

            return null;
        }

        /// <summary>
        /// True for the forms that may not be part of a list: the last days and the working days of a month, the last
        /// or nth weekday.
        /// </summary>
        private bool IsDay(string text)
        {
            var upper = text.ToUpperInvariant();
            if (!IsOfMonthDays)
            {
                return (upper.EndsWith('L') && IsValue(upper[..^1]))
                    || (upper.Split('#') is [var day, var nth] && IsValue(day) && Number(nth) is >= 1 and <= 5);
            }

            return upper is "L" or "LW"
                || (upper.EndsWith('W') && IsValue(upper[..^1]))
                || (upper.StartsWith("L-", StringComparison.Ordinal)
                    && Number(upper[2..].TrimEnd('W')) is >= 0 and <= 30
                    && !upper.EndsWith("WW", StringComparison.Ordinal));
        }

        private bool IsValue(string text) => Value(text) is { } number && number >= Least && number <= Most;

        private int? Value(string text) =>
            Array.FindIndex(Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var index
                ? index + Least
                : Number(text);

        private static int? Number(string text) =>
            text.Length is 1 or 2 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : null;
    }
}
