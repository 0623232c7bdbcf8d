using System.Buffers;
using System.Security;
using Cronos;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Scheduling;

namespace Kaiju.Tasks;

/// <summary>
/// A cron schedule in a time zone: five fields, six with seconds first, or a macro such as <c>@daily</c>. If both day
/// fields are restricted, a day that matches one of them is enough, as in Vixie cron and the Python original.
/// <para>
/// A local time that is skipped when clocks are put forward occurs right after the gap. A local time that is repeated
/// when clocks are put back occurs once. It occurs twice if the schedule is an interval, such as <c>*/5 * * * *</c>.
/// </para>
/// </summary>
public sealed class CronSchedule
{
    private const int DayOfMonthFromEnd = 3;
    private const int DayOfWeekFromEnd = 1;
    private const string Macros =
        "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute, @every_second";

    // A day before the last possible time, so that neither an offset nor a search leaves the range.
    private static readonly long _lastTime = new DateTime(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private static readonly SearchValues<char> _intervals = SearchValues.Create("*?/-");

    private readonly CronExpression _expression;
    private readonly CronExpression? _alternative;
    private readonly bool _isInterval;
    private readonly ZoneOffsets? _zone;

    private CronSchedule(CronExpression expression, CronExpression? alternative, bool isInterval, TimeZoneInfo zone)
    {
        _expression = expression;
        _alternative = alternative;
        _isInterval = isInterval;
        _zone = ReferenceEquals(zone, TimeZoneInfo.Utc) ? null : new ZoneOffsets(zone);
    }

    /// <summary>Parses a schedule.</summary>
    /// <param name="cron">The cron expression.</param>
    /// <param name="timeZone">
    /// The name of a time zone that this machine knows: an IANA or a Windows name. Default: null, for UTC.
    /// </param>
    /// <exception cref="FormatException">
    /// The expression or the time zone is invalid; the message says which and why.
    /// </exception>
    public static CronSchedule Parse(string cron, string? timeZone = null)
    {
        ArgumentNullException.ThrowIfNull(cron);
        var zone = FindZone(timeZone);
        var fields = CronText.Split(cron);
        if (CronText.FindFault(fields) is { } fault)
        {
            throw new FormatException($"cron is {JsonText.Quote(cron)}: {fault}");
        }

        var format = fields.Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
        try
        {
            if (fields.Length < 5 || IsFree(fields[^DayOfMonthFromEnd]) || IsFree(fields[^DayOfWeekFromEnd]))
            {
                return new CronSchedule(CronExpression.Parse(cron, format), null, IsInterval(fields), zone);
            }

            return new CronSchedule(
                CronExpression.Parse(WithFree(fields, DayOfWeekFromEnd), format),
                CronExpression.Parse(WithFree(fields, DayOfMonthFromEnd), format),
                IsInterval(fields),
                zone);
        }
        catch (Exception e) when (e is CronFormatException or MissingSeedException)
        {
            // This is an unknown macro: the fields of other expressions were checked above.
            throw new FormatException(
                $"cron is {JsonText.Quote(cron)}; it must have five fields, six with seconds first, or be one of "
                    + $"{Macros}.",
                e);
        }
    }

    /// <summary>Returns the first occurrence after a time; null if there is none.</summary>
    /// <param name="time">The time. The occurrence is always later than it.</param>
    public DateTimeOffset? Next(DateTimeOffset time)
    {
        var next = _zone is null ? NextLocal(time.UtcTicks, isIncluded: false) : NextIn(_zone, time.UtcTicks);
        return next is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    }

    /// <summary>Lists the next occurrences after a time.</summary>
    /// <param name="time">The time after which the occurrences lie.</param>
    /// <param name="count">The largest number of occurrences; 0 or more.</param>
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

    /// <summary>
    /// The name under which a time zone is stored: the IANA name. A Windows name is converted if this machine can do
    /// so.
    /// </summary>
    internal static string? StoredZone(string? timeZone) =>
        timeZone is not null
        && !TimeZoneInfo.TryConvertIanaIdToWindowsId(timeZone, out _)
        && TimeZoneInfo.TryConvertWindowsIdToIanaId(timeZone, out var iana)
            ? iana
            : timeZone;

    /// <summary>
    /// Moves from one period of constant offset to the next, until the schedule's next local time lies in the present
    /// period. The loop ends, since each round reaches a later instant. It checks only changes of the offset within
    /// <see cref="ZoneOffsets.Reach"/> of the start or of the local time that was found. Changes between them skip or
    /// repeat only local times at which the schedule does not occur.
    /// </summary>
    private long? NextIn(ZoneOffsets zone, long utc)
    {
        for (var isIncluded = false; ;)
        {
            var offset = zone.At(utc);
            var local = utc + offset;
            if (!_isInterval && zone.LastChange(utc) is { } last && local < last.LocalEnd)
            {
                // A repeated local time in its second pass: the schedule occurred in the first.
                (local, isIncluded) = (last.LocalEnd, true);
            }

            if (NextLocal(local, isIncluded) is not { } found)
            {
                return null;
            }

            var at = found - offset;
            var horizon = Math.Min(at, utc + ZoneOffsets.Reach);
            if (zone.FirstChange(utc, horizon) is { } change)
            {
                if (change.IsGap && NextLocal(change.At + change.Before, isIncluded: true) < change.LocalEnd)
                {
                    return change.At;
                }

                (utc, isIncluded) = (change.At, true);
            }
            else if (horizon == at)
            {
                return at;
            }
            else
            {
                utc = at - ZoneOffsets.Reach;
            }
        }
    }

    /// <summary>The schedule's first time on a clock without offset changes, in ticks; null if there is none.</summary>
    private long? NextLocal(long time, bool isIncluded)
    {
        if (time >= _lastTime)
        {
            return null;
        }

        var from = new DateTime(Math.Max(time, 0), DateTimeKind.Utc);
        var next = _expression.GetNextOccurrence(from, isIncluded);
        var other = _alternative?.GetNextOccurrence(from, isIncluded);
        var first = next is null || other < next ? other ?? next : next;
        return first?.Ticks < _lastTime ? first.Value.Ticks : null;
    }

    // An interval has a star, a step or a range in the time of day. A macro is one if it occurs more than once a day.
    private static bool IsInterval(string[] fields) => fields.Length < 5
        ? fields is [['@', 'h' or 'H' or 'e' or 'E', ..]]
        : fields[..^DayOfMonthFromEnd].Any(field => field.AsSpan().ContainsAny(_intervals));

    // Vixie cron's rule: a field that starts with a star does not restrict the day.
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
        catch (Exception e)
            when (e is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException or IOException)
        {
            throw new FormatException(
                $"cron_time_zone is \"{timeZone}\"; it must be a time zone that this machine knows, such as "
                    + "Europe/Riga.",
                e);
        }
    }
}
