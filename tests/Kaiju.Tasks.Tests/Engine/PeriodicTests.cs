using System.Globalization;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>
/// Occurrences: each runs at most once, missed ones once or not at all, and skipped ones are counted.
/// </summary>
public sealed class PeriodicTests
{
    private readonly List<(double At, double For)> _runs = [];

    [Fact]
    public async Task A_periodic_task_runs_at_each_occurrence()
    {
        await using var host = await NewAsync();
        for (var i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        _runs.Should().Equal((60, 30), (120, 90), (180, 150));
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.Skipped == 0 && task.State == TaskState.Idle);
    }

    [Fact]
    public async Task Missed_occurrences_run_once_when_a_manager_is_back()
    {
        await using var host = await NewAsync();
        await host.AdvanceAsync(TimeSpan.FromMinutes(10));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        _runs.Should().Equal((600, 30), (660, 630));
        (await host.GetAsync("t")).Skipped.Should().Be(9);
    }

    [Fact]
    public async Task A_missed_occurrence_is_skipped_if_the_following_one_is_due_too()
    {
        await using var host = await NewAsync(options => options.MissedRuns = MissedRuns.RunLatest);
        await host.AdvanceAsync(TimeSpan.FromMinutes(10));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        _runs.Should().Equal((600, 570), (660, 630));
        (await host.GetAsync("t")).Skipped.Should().Be(9);
    }

    [Fact]
    public async Task A_missed_occurrence_never_runs_late_if_missed_runs_are_skipped()
    {
        await using var host = await NewAsync(options =>
        {
            options.MissedRuns = MissedRuns.Skip;
            options.MissedRunTolerance = TimeSpan.FromSeconds(10);
        });
        await host.AdvanceAsync(TimeSpan.FromMinutes(10));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        _runs.Should().BeEmpty("the latest occurrence is 30 s late each time");
        (await host.GetAsync("t")).Skipped.Should().Be(11);
    }

    [Fact]
    public async Task An_occurrence_during_a_run_is_skipped_and_counted()
    {
        await using var host = await AfterALongRunAsync();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.Skipped == 2 && task.NextRun == TaskTestHost.Start.AddSeconds(210));
    }

    [Fact]
    public async Task A_cancelled_occurrence_is_not_counted_as_skipped_and_repeats_no_count()
    {
        await using var host = await AfterALongRunAsync();
        (await host.GetAsync("t")).Skipped.Should().Be(2);

        for (var i = 0; i < 3; i++)
        {
            await host.Client.CancelAsync("t");
            await host.Manager.TickAsync(default);
        }

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.Skipped == 2 && task.NextRun == TaskTestHost.Start.AddSeconds(390));
        (await host.Client.ListRunsAsync("t")).Select(run => run.Occurrence).Should().Equal(
            TaskTestHost.Start.AddSeconds(330),
            TaskTestHost.Start.AddSeconds(270),
            TaskTestHost.Start.AddSeconds(210),
            TaskTestHost.Start.AddSeconds(30));
    }

    [Fact]
    public async Task Any_number_of_managers_start_one_run_for_an_occurrence()
    {
        await using var host = await NewAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(1));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => host.Manager.TickAsync(default))));
        await host.RunUntilIdleAsync();

        _runs.Should().ContainSingle();
    }

    [Fact]
    public void A_clock_that_is_put_back_repeats_no_occurrence()
    {
        var task = new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("tick")] };
        var finished = new ManagedState
        {
            State = TaskState.Finished,
            JobId = "j",
            ResultRun = "j",
            Occurrence = TaskTestHost.Start.AddMinutes(5),
        };

        var next = TaskLifecycle.Next(
            task, finished, new TaskEvent.NextPeriod("j2"), TaskTestHost.Start, new LifecycleRules())!;

        next.After.NextRun.Should().Be(new DateTimeOffset(2024, 6, 15, 12, 6, 0, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("2027-03-28T00:45:00Z", "2027-03-28T00:50:00Z", "2027-03-28T01:00:00Z")]
    [InlineData("2026-10-25T01:25:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:40:00Z")]
    [InlineData("2026-10-25T00:55:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:10:00Z")]
    public async Task Where_daylight_saving_time_is_negative_an_occurrence_runs_once_while_the_clock_stands_still(
        string created, string due, string next)
    {
        await using var host = await NewAsync(cron: "*/10 * * * *", zone: "Europe/Dublin", at: At(created));
        host.Clock.SetUtcNow(At(due));

        await LiveAsync(host);
        host.Clock.Advance(TimeSpan.FromSeconds(1.5));
        await LiveAsync(host);

        _runs.Should().ContainSingle();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Idle && task.NextRun == At(next) && task.Occurrence == At(due));
    }

    [Fact]
    public async Task Where_daylight_saving_time_is_negative_the_repeated_hour_is_not_lost()
    {
        await using var host = await NewAsync(
            cron: "*/10 * * * *", zone: "Europe/Dublin", at: At("2026-10-24T23:55:00Z"));
        host.Clock.Advance(TimeSpan.FromMinutes(5));
        for (var minute = 0; minute < 180; minute++)
        {
            await LiveAsync(host, rounds: 3);
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        _runs.Select(run => TaskTestHost.Start.AddSeconds(run.For))
            .Should().Equal(Enumerable.Range(0, 18).Select(nth => At("2026-10-25T00:00:00Z").AddMinutes(10 * nth)));
        (await host.GetAsync("t")).Skipped.Should().Be(0);
    }

    [Fact]
    public async Task A_reset_on_a_clock_that_was_put_back_repeats_no_occurrence()
    {
        await using var host = await NewAsync();
        for (var i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        host.Clock.AdjustTime(TaskTestHost.Start.AddSeconds(61));
        await host.Client.ResetAsync("t");
        await LiveAsync(host);
        for (var i = 0; i < 18; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(10));
        }

        _runs.Should().Equal((60, 30), (120, 90), (180, 150), (61, 150), (211, 210));
    }

    [Fact]
    public async Task A_cancelled_occurrence_stays_skipped_after_a_reset()
    {
        await using var host = await NewAsync();
        await host.Client.CancelAsync("t");
        await host.Client.ResetAsync("t");
        await LiveAsync(host);
        _runs.Should().Equal((0, 30));

        await host.AdvanceAsync(TimeSpan.FromSeconds(30));
        _runs.Should().ContainSingle("its occurrence was cancelled");

        await host.AdvanceAsync(TimeSpan.FromSeconds(60));
        _runs.Should().Equal((0, 30), (90, 90));
    }

    [Fact]
    public async Task A_changed_schedule_does_not_bring_a_cancelled_occurrence_back()
    {
        await using var host = await NewAsync();
        await host.Client.CancelAsync("t");
        await host.Manager.TickAsync(default);

        var changed = await host.Client.UpdateAsync("t", task => task with { Cron = "*/1 * * * *" });

        changed.NextRun.Should().Be(TaskTestHost.Start.AddSeconds(90));
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

    /// <summary>
    /// Runs a manager and an executor while the clock stands still. A task that is due repeatedly would never come to
    /// rest.
    /// </summary>
    private static async Task LiveAsync(TaskTestHost host, int rounds = 20)
    {
        for (var round = 0; round < rounds; round++)
        {
            await host.Manager.TickAsync(default);
            await host.Executor.Claimer.ClaimAsync(default);
            await host.Executor.WhenIdleAsync();
        }
    }

    /// <summary>A task of every minute whose first run took two and a half.</summary>
    private static async Task<TaskTestHost> AfterALongRunAsync()
    {
        var gate = new Gate();
        var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("slow")] });
        host.Clock.Advance(TimeSpan.FromSeconds(30));
        await host.Manager.TickAsync(default);
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(150));
        await host.Executor.HeartbeatAsync(default);
        await host.Manager.TickAsync(default);
        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        await host.Manager.TickAsync(default);
        return host;
    }

    private async Task<TaskTestHost> NewAsync(
        Action<KaijuTasksOptions>? configure = null,
        string cron = "* * * * *",
        string? zone = null,
        DateTimeOffset? at = null)
    {
        var host = new TaskTestHost(
            tasks => tasks.AddCommand(
                "tick", async (TimeProvider clock, ITaskClient client, StageContext stage) => _runs.Add((
                (clock.GetUtcNow() - TaskTestHost.Start).TotalSeconds,
                ((await client.GetAsync(stage.TaskId))!.Occurrence!.Value - TaskTestHost.Start).TotalSeconds))),
            configure);
        host.Clock.SetUtcNow(at ?? host.Now);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Cron = cron, CronTimeZone = zone, Commands = [new("tick")] });
        return host;
    }
}
