using System.Globalization;
using Kaiju.Tasks.Scheduling;

namespace Kaiju.Tasks.Tests.Scheduling;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("0 3 * * *", null, "2024-06-15T12:00:30Z", "2024-06-16T03:00:00Z")]
    [InlineData("*/5 * * * *", null, "2024-06-15T12:00:30Z", "2024-06-15T12:05:00Z")]
    [InlineData("*/5 * * * *", null, "2024-06-15T12:05:00Z", "2024-06-15T12:10:00Z")]
    [InlineData("30 6 1 7 *", null, "2024-06-15T12:00:30Z", "2024-07-01T06:30:00Z")]
    [InlineData("*/10 * * * * *", null, "2024-06-15T12:00:30Z", "2024-06-15T12:00:40Z")]
    [InlineData("@daily", null, "2024-06-15T12:00:30Z", "2024-06-16T00:00:00Z")]
    [InlineData("@every_second", null, "2024-06-15T12:00:30Z", "2024-06-15T12:00:31Z")]
    [InlineData("0 3 * * *", "Europe/Riga", "2024-06-15T12:00:30Z", "2024-06-16T00:00:00Z")]
    public void The_next_occurrence_is_in_the_schedules_time_zone(string cron, string? zone, string after, string next) =>
        CronSchedule.Parse(cron, zone).Next(At(after)).Should().Be(At(next));

    [Theory]
    [InlineData("0 0 13 * 5", "2024-06-15T12:00:00Z", "2024-06-21T00:00:00Z", "a Friday before the 13th")]
    [InlineData("0 0 17 * 5", "2024-06-15T12:00:00Z", "2024-06-17T00:00:00Z", "the 17th before a Friday")]
    [InlineData("0 0 * * 5", "2024-06-15T12:00:00Z", "2024-06-21T00:00:00Z", "any day of the month does not restrict")]
    [InlineData("0 0 17 * *", "2024-06-18T12:00:00Z", "2024-07-17T00:00:00Z", "any day of the week does not restrict")]
    [InlineData("0 0 */2 * 5", "2024-06-15T12:00:00Z", "2024-06-21T00:00:00Z", "a step over every day is no restriction of its own, as in Vixie cron")]
    [InlineData("0 0 0 17 * 5", "2024-06-15T12:00:00Z", "2024-06-17T00:00:00Z", "with seconds as well")]
    public void Two_restricted_day_fields_mean_either(string cron, string after, string next, string why) =>
        CronSchedule.Parse(cron).Next(At(after)).Should().Be(At(next), why);

    [Fact]
    public void A_fixed_time_in_the_skipped_hour_runs_right_after_the_gap() =>
        CronSchedule.Parse("30 3 * * *", "Europe/Riga").Next(At("2024-03-31T00:00:00Z")).Should().Be(At("2024-03-31T01:00:00Z"));

    [Fact]
    public void A_fixed_time_in_the_repeated_hour_runs_once() =>
        CronSchedule.Parse("30 3 * * *", "Europe/Riga").GetNextRuns(At("2024-10-26T12:00:00Z"), 2)
            .Should().Equal(At("2024-10-27T00:30:00Z"), At("2024-10-28T01:30:00Z"));

    [Fact]
    public void An_interval_runs_in_both_passes_of_the_repeated_hour() =>
        CronSchedule.Parse("*/30 * * * *", "Europe/Riga").GetNextRuns(At("2024-10-26T23:59:00Z"), 5)
            .Should().Equal(At("2024-10-27T00:00:00Z"), At("2024-10-27T00:30:00Z"), At("2024-10-27T01:00:00Z"), At("2024-10-27T01:30:00Z"), At("2024-10-27T02:00:00Z"));

    [Fact]
    public void A_definition_tells_its_next_runs()
    {
        var task = new TaskDefinition { Cron = "0 3 * * *", CronTimeZone = "Europe/Riga", Commands = [new("do")] };

        task.GetNextRuns(At("2024-06-15T12:00:00Z"), 2).Should().Equal(At("2024-06-16T00:00:00Z"), At("2024-06-17T00:00:00Z"));
        (task with { Cron = null }).GetNextRuns(At("2024-06-15T12:00:00Z"), 2).Should().BeEmpty();
    }

    [Theory]
    [InlineData("* * *")]
    [InlineData("* * * * * * *")]
    [InlineData("61 * * * *")]
    [InlineData("@sometimes")]
    [InlineData("")]
    public void What_is_no_schedule_is_refused_by_name(string cron)
    {
        var parse = () => CronSchedule.Parse(cron);

        parse.Should().Throw<FormatException>().WithMessage($"cron is \"{cron}\": *");
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
