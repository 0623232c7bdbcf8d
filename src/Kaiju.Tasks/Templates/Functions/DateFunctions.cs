using System.Globalization;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The functions that convert dates and times from and to ISO 8601 text.</summary>
internal static class DateFunctions
{
    /// <summary>The format of times: with microseconds, as in Python, if they are not zero.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF";

    /// <summary>The format of dates.</summary>
    public const string DateFormat = "yyyy-MM-dd";

    private static readonly string[] _times =
    [
        DateFormat,
        "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd' 'HH:mm",
        "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd' 'HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFF",
    ];

    private static readonly string[] _timesWithOffset = [.. _times.Skip(1).Select(format => format + "zzz")];

    /// <summary>Converts a text to a time. The result has an offset only if the text has one.</summary>
    public static TemplateValue DateTimeOf(FunctionCall call)
    {
        var text = call.Text(0);
        var offsetText = text.EndsWith('Z') ? text[..^1] + "+00:00" : text;
        if (DateTime.TryParseExact(text, _times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var plain))
        {
            return TemplateValue.Of(plain.ToString(TimeFormat, CultureInfo.InvariantCulture));
        }

        return DateTimeOffset.TryParseExact(
            offsetText, _timesWithOffset, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? TemplateValue.Of(time.ToString(TimeFormat + "zzz", CultureInfo.InvariantCulture))
            : throw call.ValueError($"{JsonShape.Of(text)} is not a time such as 2024-05-06T07:08:09+02:00.");
    }

    public static TemplateValue DateOf(FunctionCall call)
    {
        var text = call.Text(0);
        return DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? TemplateValue.Of(date.ToString(DateFormat, CultureInfo.InvariantCulture))
            : throw call.ValueError($"{JsonShape.Of(text)} is not a date such as 2024-05-06.");
    }
}
