using System.Security;
using Cronos;

namespace Kaiju.Tasks.Scheduling;

/// <summary>
/// When a periodic task is due: five fields, six with seconds first, or a macro (<c>@daily</c>), in a time zone. Cronos does the
/// work, with its treatment of daylight saving time. Where both day fields are restricted either will do, as in Vixie cron and
/// the Python original.
/// </summary>
public sealed class CronSchedule
{
    private const int DayOfMonthFromEnd = 3;
    private const int DayOfWeekFromEnd = 1;

    private readonly CronExpression _expression;
    private readonly CronExpression? _alternative;
    private readonly TimeZoneInfo _zone;

    private CronSchedule(CronExpression expression, CronExpression? alternative, TimeZoneInfo zone)
    {
        _expression = expression;
        _alternative = alternative;
        _zone = zone;
    }

    /// <summary>Reads a schedule.</summary>
    /// <param name="cron">The expression.</param>
    /// <param name="timeZone">An IANA time zone; null for UTC.</param>
    /// <exception cref="FormatException">One of the two cannot be read; the message says which and why.</exception>
    public static CronSchedule Parse(string cron, string? timeZone = null)
    {
        ArgumentNullException.ThrowIfNull(cron);
        var zone = FindZone(timeZone);
        var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var format = fields.Length == 6 || cron.TrimStart().StartsWith('@') ? CronFormat.IncludeSeconds : CronFormat.Standard;
        try
        {
            if (fields.Length < 5 || IsFree(fields[^DayOfMonthFromEnd]) || IsFree(fields[^DayOfWeekFromEnd]))
            {
                return new CronSchedule(CronExpression.Parse(cron, format), null, zone);
            }

            return new CronSchedule(
                CronExpression.Parse(WithFree(fields, DayOfWeekFromEnd), format),
                CronExpression.Parse(WithFree(fields, DayOfMonthFromEnd), format),
                zone);
        }
        catch (CronFormatException e)
        {
            throw new FormatException($"cron is \"{cron}\": {e.Message} It must have five fields, six with seconds first, or be a macro such as @daily.", e);
        }
    }

    /// <summary>The schedule, or null if it cannot be read.</summary>
    internal static CronSchedule? TryParse(string cron, string? timeZone)
    {
        try
        {
            return Parse(cron, timeZone);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The first occurrence after a time; null if there is none.</summary>
    /// <param name="time">The time, itself left out.</param>
    public DateTimeOffset? Next(DateTimeOffset time)
    {
        var next = _expression.GetNextOccurrence(time, _zone);
        var other = _alternative?.GetNextOccurrence(time, _zone);
        return (next is null || other < next ? other ?? next : next)?.ToUniversalTime();
    }

    /// <summary>The next occurrences after a time, at most <paramref name="count"/>.</summary>
    /// <param name="time">The time, itself left out.</param>
    /// <param name="count">How many.</param>
    public IReadOnlyList<DateTimeOffset> GetNextRuns(DateTimeOffset time, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var runs = new List<DateTimeOffset>();
        for (var next = Next(time); next is { } run && runs.Count < count; next = Next(run))
        {
            runs.Add(run);
        }

        return runs;
    }

    // Vixie cron's rule: a field that starts with a star does not restrict the day in the sense of "either".
    private static bool IsFree(string field) => field.StartsWith('*') || field == "?";

    private static string WithFree(string[] fields, int fromEnd)
    {
        var changed = (string[])fields.Clone();
        changed[^fromEnd] = "*";
        return string.Join(' ', changed);
    }

    private static TimeZoneInfo FindZone(string? timeZone)
    {
        try
        {
            return timeZone is null ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(timeZone);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException or IOException)
        {
            throw new FormatException($"cron_time_zone is \"{timeZone}\"; it must be an IANA time zone that this machine knows, such as Europe/Riga.", e);
        }
    }
}
