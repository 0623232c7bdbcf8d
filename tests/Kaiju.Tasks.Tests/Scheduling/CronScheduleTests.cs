using System.Globalization;

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
    public void The_next_occurrence_is_in_the_schedules_time_zone(
        string cron, string? zone, string after, string next) =>
        CronSchedule.Parse(cron, zone).Next(At(after)).Should().Be(At(next));

    [Theory]
    [InlineData("0 0 13 * 5", "2024-06-15T12:00:00Z", "2024-06-21T00:00:00Z", "a Friday before the 13th")]
    [InlineData("0 0 17 * 5", "2024-06-15T12:00:00Z", "2024-06-17T00:00:00Z", "the 17th before a Friday")]
    [InlineData("0 0 * * 5", "2024-06-15T12:00:00Z", "2024-06-21T00:00:00Z", "any day of the month does not restrict")]
    [InlineData("0 0 17 * *", "2024-06-18T12:00:00Z", "2024-07-17T00:00:00Z", "any day of the week does not restrict")]
    [InlineData(
        "0 0 */2 * 5",
        "2024-06-15T12:00:00Z",
        "2024-06-21T00:00:00Z",
        "a step over every day is not a restriction, as in Vixie cron")]
    [InlineData("0 0 0 17 * 5", "2024-06-15T12:00:00Z", "2024-06-17T00:00:00Z", "with seconds as well")]
    public void Two_restricted_day_fields_mean_either(string cron, string after, string next, string why) =>
        CronSchedule.Parse(cron).Next(At(after)).Should().Be(At(next), why);

    [Fact]
    public void A_fixed_time_in_the_skipped_hour_runs_right_after_the_gap() =>
        CronSchedule.Parse("30 3 * * *", "Europe/Riga").Next(At("2024-03-31T00:00:00Z"))
            .Should().Be(At("2024-03-31T01:00:00Z"));

    [Fact]
    public void A_fixed_time_in_the_repeated_hour_runs_once() =>
        CronSchedule.Parse("30 3 * * *", "Europe/Riga").GetNextRuns(At("2024-10-26T12:00:00Z"), 2)
            .Should().Equal(At("2024-10-27T00:30:00Z"), At("2024-10-28T01:30:00Z"));

    [Fact]
    public void An_interval_runs_in_both_passes_of_the_repeated_hour() =>
        CronSchedule.Parse("*/30 * * * *", "Europe/Riga").GetNextRuns(At("2024-10-26T23:59:00Z"), 5)
            .Should().Equal(
                At("2024-10-27T00:00:00Z"),
                At("2024-10-27T00:30:00Z"),
                At("2024-10-27T01:00:00Z"),
                At("2024-10-27T01:30:00Z"),
                At("2024-10-27T02:00:00Z"));

    [Theory]
    [InlineData("30 3 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z 2026-03-30T00:30Z")]
    [InlineData("0 4 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z 2026-03-30T01:00Z")]
    [InlineData("15,45 3 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z 2026-03-30T00:15Z")]
    [InlineData("*/30 * * * *", "2026-03-29T00:00Z", "2026-03-29T00:30Z 2026-03-29T01:00Z 2026-03-29T01:30Z")]
    [InlineData("30 * * * *", "2026-03-29T00:00Z", "2026-03-29T00:30Z 2026-03-29T01:00Z 2026-03-29T01:30Z")]
    [InlineData("30 2,3,4 * * *", "2026-03-28T12:00Z", "2026-03-29T00:30Z 2026-03-29T01:00Z 2026-03-29T01:30Z")]
    [InlineData("0 */2 * * *", "2026-03-28T23:00Z", "2026-03-29T00:00Z 2026-03-29T01:00Z 2026-03-29T03:00Z")]
    [InlineData("30 3 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z 2026-10-26T01:30Z")]
    [InlineData("0 4 * * *", "2026-10-24T12:00Z", "2026-10-25T02:00Z 2026-10-26T02:00Z")]
    [InlineData("15,45 3 * * *", "2026-10-24T12:00Z", "2026-10-25T00:15Z 2026-10-25T00:45Z 2026-10-26T01:15Z")]
    [InlineData(
        "*/30 * * * *",
        "2026-10-24T23:45Z",
        "2026-10-25T00:00Z 2026-10-25T00:30Z 2026-10-25T01:00Z 2026-10-25T01:30Z 2026-10-25T02:00Z")]
    [InlineData(
        "30 * * * *", "2026-10-24T23:00Z", "2026-10-24T23:30Z 2026-10-25T00:30Z 2026-10-25T01:30Z 2026-10-25T02:30Z")]
    [InlineData("30 2,3,4 * * *", "2026-10-24T23:00Z", "2026-10-24T23:30Z 2026-10-25T00:30Z 2026-10-25T02:30Z")]
    [InlineData("0 */2 * * *", "2026-10-24T22:00Z", "2026-10-24T23:00Z 2026-10-25T02:00Z 2026-10-25T04:00Z")]
    public void The_two_special_days_of_Riga_are_as_the_documentation_says(string cron, string after, string runs) =>
        Runs(cron, "Europe/Riga", after, runs);

    [Theory]
    [InlineData("*/10 * * * *", "Europe/Dublin", "2027-03-28T00:50Z", "2027-03-28T01:00Z 2027-03-28T01:10Z")]
    [InlineData("*/10 * * * *", "Europe/Dublin", "2026-10-25T01:20Z", "2026-10-25T01:30Z 2026-10-25T01:40Z")]
    [InlineData(
        "*/30 * * * *",
        "Europe/Dublin",
        "2026-10-24T23:45Z",
        "2026-10-25T00:00Z 2026-10-25T00:30Z 2026-10-25T01:00Z 2026-10-25T01:30Z 2026-10-25T02:00Z")]
    [InlineData("30 1 * * *", "Europe/Dublin", "2026-10-24T12:00Z", "2026-10-25T00:30Z 2026-10-26T01:30Z")]
    [InlineData("30 1 * * *", "Europe/Dublin", "2027-03-27T12:00Z", "2027-03-28T01:00Z 2027-03-29T00:30Z")]
    [InlineData("30 23 * * *", "Asia/Almaty", "2024-02-29T12:00Z", "2024-02-29T17:30Z 2024-03-01T18:30Z")]
    [InlineData(
        "*/30 * * * *",
        "Asia/Almaty",
        "2024-02-29T17:00Z",
        "2024-02-29T17:30Z 2024-02-29T18:00Z 2024-02-29T18:30Z 2024-02-29T19:00Z")]
    [InlineData(
        "15,45 1,2 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T14:00Z",
        "2026-04-04T14:15Z 2026-04-04T14:45Z 2026-04-04T15:45Z 2026-04-04T16:15Z")]
    [InlineData("0 9 * * *", "Pacific/Apia", "2011-12-29T19:00Z", "2011-12-30T10:00Z 2011-12-30T19:00Z")]
    public void Negative_daylight_saving_time_and_new_base_offsets_follow_the_same_rules(
        string cron, string zone, string after, string runs) =>
        Runs(cron, zone, after, runs);

    [Theory]
    [InlineData("0 0 29 2 *", "Europe/Riga", "2025-06-15T12:00Z", "2028-02-28T22:00Z 2032-02-28T22:00Z")]
    [InlineData(
        "30-31 3 25 10 *", "Europe/Riga", "2026-10-25T00:45Z", "2026-10-25T01:30Z 2026-10-25T01:31Z 2027-10-25T00:30Z")]
    [InlineData("30 3 31 3 *", "Europe/Riga", "2023-06-15T12:00Z", "2024-03-31T01:00Z 2025-03-31T00:30Z")]
    public void A_schedule_of_once_a_year_sees_the_changes_near_its_day(
        string cron, string zone, string after, string runs) =>
        Runs(cron, zone, after, runs);

    [Theory]
    [InlineData(null)]
    [InlineData("Pacific/Kiritimati")]
    [InlineData("Pacific/Pago_Pago")]
    public void Times_at_the_ends_of_the_calendar_are_handled(string? zone)
    {
        var schedule = CronSchedule.Parse("* * * * *", zone);

        schedule.Next(DateTimeOffset.MaxValue).Should().BeNull();
        schedule.Next(DateTimeOffset.MinValue).Should()
            .BeAfter(DateTimeOffset.MinValue).And.BeBefore(DateTimeOffset.MinValue.AddDays(2));
    }

    [Fact]
    public void A_definition_lists_its_next_runs()
    {
        var task = new TaskDefinition { Cron = "0 3 * * *", CronTimeZone = "Europe/Riga", Commands = [new("do")] };

        task.GetNextRuns(At("2024-06-15T12:00:00Z"), 2).Should().Equal(
            At("2024-06-16T00:00:00Z"), At("2024-06-17T00:00:00Z"));
        (task with { Cron = null }).GetNextRuns(At("2024-06-15T12:00:00Z"), 2).Should().BeEmpty();
    }

    private static void Runs(string cron, string zone, string after, string runs)
    {
        var expected = runs.Split(' ').Select(At).ToList();
        CronSchedule.Parse(cron, zone).GetNextRuns(At(after), expected.Count).Should().Equal(expected);
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
