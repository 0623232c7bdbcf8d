using System.Collections.ObjectModel;

namespace Kaiju.Tasks.Tests.Scheduling;

/// <summary>
/// Checks schedules against a minute-by-minute reading of docs/scheduling.md that uses only the zone's offset at each
/// minute. A skipped time runs right after the gap. A repeated time runs once, or in both passes if the schedule is an
/// interval.
/// </summary>
public sealed class EveryZoneTests
{
    private static readonly DateTimeOffset _first = new(2010, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset _last = new(2036, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Expression[] _expressions =
    [
        new("* * * * *", true, _ => true),
        new("*/10 * * * *", true, at => at.Minute % 10 == 0),
        new("30 * * * *", true, at => at.Minute == 30),
        new("0 */2 * * *", true, at => at.Minute == 0 && at.Hour % 2 == 0),
        new("20 1-3 * * *", true, at => at is { Minute: 20, Hour: 1 or 2 or 3 }),
        new("0 0 * * *", false, at => at is { Minute: 0, Hour: 0 }),
        new("15,45 0,1,2,3,22,23 * * *", false, at => at is { Minute: 15 or 45, Hour: 0 or 1 or 2 or 3 or 22 or 23 }),
        new(
            "30 0,1,2,3 1 * 0",
            false,
            at => at is { Minute: 30, Hour: 0 or 1 or 2 or 3 } && (at.Day == 1 || at.DayOfWeek == DayOfWeek.Sunday)),
    ];

    [Fact]
    public void Around_each_change_of_each_zone_schedules_run_as_documented()
    {
        var changes = TimeZoneInfo.GetSystemTimeZones().SelectMany(Changes)
            .DistinctBy(change => (change.At, change.Before, change.After)).ToList();
        changes.Should().NotBeEmpty();

        var faults = changes.SelectMany(change =>
        {
            var margin = TimeSpan.FromHours(3);
            var repeated = change.Before > change.After ? change.Before - change.After : TimeSpan.Zero;
            return Faults(change.Zone, change.At - repeated - margin, change.At + repeated + margin, change.At);
        });

        faults.Take(20).Should().BeEmpty();
    }

    [Theory]
    [InlineData("Europe/Riga", 2026)]
    [InlineData("Europe/Dublin", 2027)]
    [InlineData("Africa/Casablanca", 2027)]
    [InlineData("Africa/El_Aaiun", 2030)]
    [InlineData("Asia/Almaty", 2024)]
    [InlineData("Europe/Istanbul", 2016)]
    [InlineData("Australia/Lord_Howe", 2026)]
    [InlineData("Antarctica/Troll", 2026)]
    [InlineData("Pacific/Apia", 2011)]
    [InlineData("America/Sao_Paulo", 2018)]
    public void Through_a_whole_year_schedules_run_as_documented(string zone, int year)
    {
        var start = new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Faults(TimeZoneInfo.FindSystemTimeZoneById(zone), start, start.AddYears(1), start.AddMonths(6)).Take(20)
            .Should().BeEmpty();
    }

    /// <summary>The differences from the minute-by-minute reading, between start and end.</summary>
    private static IEnumerable<string> Faults(
        TimeZoneInfo zone, DateTimeOffset start, DateTimeOffset end, DateTimeOffset around)
    {
        var minutes = new Minutes(zone, start, end);
        foreach (var expression in _expressions)
        {
            var expected = minutes.Occurrences(expression);
            var schedule = CronSchedule.Parse(expression.Cron, zone.Id);
            foreach (var (time, next) in Questions(expected, start, end, around))
            {
                // After the last minute that was read any later occurrence is right.
                var actual = schedule.Next(time);
                if (next is null ? actual <= end : actual != next)
                {
                    yield return $"{expression.Cron} in {zone.Id} after {time:O} is {actual:O}; it should be {next:O}.";
                }
            }
        }
    }

    /// <summary>
    /// From one occurrence to the next, from times between them, and from the moments around a change.
    /// </summary>
    private static IEnumerable<(DateTimeOffset Time, DateTimeOffset? Next)> Questions(
        ReadOnlyCollection<DateTimeOffset> expected, DateTimeOffset start, DateTimeOffset end, DateTimeOffset around)
    {
        var step = TimeSpan.FromTicks(((end - start) / 60).Ticks + 1234567);
        var between = Enumerable.Range(0, 60).Select(place => start + (place * step)).Where(time => time < end);
        var moments = new[] { -TimeSpan.TicksPerMinute, -1L, 0L, 1L, TimeSpan.TicksPerSecond }.Select(
            ticks => around.AddTicks(ticks));
        var place = 0;
        foreach (var time in expected.Prepend(start).Concat(between).Concat(moments).Order())
        {
            while (place < expected.Count && expected[place] <= time)
            {
                place++;
            }

            yield return (time, place < expected.Count ? expected[place] : null);
        }
    }

    /// <summary>The minutes at which the zone's offset differs from that of the minute before.</summary>
    private static IEnumerable<Change> Changes(TimeZoneInfo zone)
    {
        var stride = TimeSpan.FromHours(3);
        for (var time = _first; time < _last; time += stride)
        {
            if (zone.GetUtcOffset(time) == zone.GetUtcOffset(time + stride))
            {
                continue;
            }

            for (var minute = time.AddMinutes(1); minute <= time + stride; minute = minute.AddMinutes(1))
            {
                var (before, after) = (zone.GetUtcOffset(minute.AddMinutes(-1)), zone.GetUtcOffset(minute));
                if (before != after)
                {
                    yield return new Change(zone, minute, before, after);
                }
            }
        }
    }

    private sealed record Expression(string Cron, bool IsInterval, Func<DateTime, bool> Matches);

    private sealed record Change(TimeZoneInfo Zone, DateTimeOffset At, TimeSpan Before, TimeSpan After);

    /// <summary>Each minute of a period, with its local time and whether that local time occurred before.</summary>
    private sealed class Minutes
    {
        private readonly DateTimeOffset _start;
        private readonly DateTime[] _local;
        private readonly bool[] _isRepeated;

        public Minutes(TimeZoneInfo zone, DateTimeOffset start, DateTimeOffset end)
        {
            _start = start;
            _local = [.. Enumerable.Range(0, (int)(end - start).TotalMinutes + 1).Select(minute =>
            {
                var time = start.AddMinutes(minute);
                return time.DateTime + zone.GetUtcOffset(time);
            })];
            var seen = new HashSet<DateTime>();
            _isRepeated = [.. _local.Select(local => !seen.Add(local))];
        }

        public ReadOnlyCollection<DateTimeOffset> Occurrences(Expression expression)
        {
            var occurrences = new List<DateTimeOffset>();
            for (var minute = 1; minute < _local.Length; minute++)
            {
                var comes = expression.Matches(_local[minute]) && (expression.IsInterval || !_isRepeated[minute]);
                for (var skipped = _local[minute - 1]
                    .AddMinutes(1); skipped < _local[minute]; skipped = skipped.AddMinutes(1))
                {
                    comes |= expression.Matches(skipped);
                }

                if (comes)
                {
                    occurrences.Add(_start.AddMinutes(minute));
                }
            }

            return occurrences.AsReadOnly();
        }
    }
}
