using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Occurrences: each runs at most once, missed ones once or not at all, and those that were left out are counted.</summary>
public sealed class PeriodicTests
{
    private readonly List<(double At, double For)> _runs = [];

    [Fact]
    public async Task It_runs_at_each_occurrence()
    {
        await using var host = await NewAsync();
        for (var i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        _runs.Should().Equal((60, 30), (120, 90), (180, 150));
        (await host.GetAsync("t")).Should().Match<TaskRecord>(task => task.Skipped == 0 && task.State == TaskState.Idle);
    }

    [Fact]
    public async Task What_was_missed_runs_once_when_a_manager_is_there_again()
    {
        await using var host = await NewAsync();
        await host.AdvanceAsync(TimeSpan.FromMinutes(10));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        _runs.Should().Equal((600, 30), (660, 630));
        (await host.GetAsync("t")).Skipped.Should().Be(9);
    }

    [Fact]
    public async Task What_was_missed_is_left_out_if_the_following_one_is_due_too()
    {
        await using var host = await NewAsync(options => options.MissedRuns = MissedRuns.Skip);
        await host.AdvanceAsync(TimeSpan.FromMinutes(10));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        _runs.Should().Equal((600, 570), (660, 630));
        (await host.GetAsync("t")).Skipped.Should().Be(9);
    }

    [Fact]
    public async Task An_occurrence_during_a_run_is_left_out_and_counted()
    {
        await using var host = await AfterALongRunAsync();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(task => task.Skipped == 2 && task.NextRun == TaskTestHost.Start.AddSeconds(210));
    }

    [Fact]
    public async Task A_cancelled_occurrence_is_not_counted_as_left_out_and_counts_nothing_again()
    {
        await using var host = await AfterALongRunAsync();
        (await host.GetAsync("t")).Skipped.Should().Be(2);

        for (var i = 0; i < 3; i++)
        {
            await host.Client.CancelAsync("t");
            await host.Manager.TickAsync(default);
        }

        (await host.GetAsync("t")).Should().Match<TaskRecord>(task => task.Skipped == 2 && task.NextRun == TaskTestHost.Start.AddSeconds(390));
        (await host.Client.ListRunsAsync("t")).Select(run => run.Occurrence).Should().Equal(
            TaskTestHost.Start.AddSeconds(330), TaskTestHost.Start.AddSeconds(270), TaskTestHost.Start.AddSeconds(210), TaskTestHost.Start.AddSeconds(30));
    }

    [Fact]
    public async Task Any_number_of_managers_make_one_run_of_an_occurrence()
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
        var finished = new ManagedState { State = TaskState.Finished, JobId = "j", ResultRun = "j", Occurrence = TaskTestHost.Start.AddMinutes(5) };

        var next = TaskLifecycle.Next(task, finished, new TaskEvent.NextPeriod("j2"), TaskTestHost.Start, new LifecycleRules())!;

        next.After.NextRun.Should().Be(new DateTimeOffset(2024, 6, 15, 12, 6, 0, TimeSpan.Zero));
    }

    /// <summary>A task of every minute whose first run took two and a half.</summary>
    private static async Task<TaskTestHost> AfterALongRunAsync()
    {
        var gate = new Gate();
        var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("slow")] });
        host.Clock.Advance(TimeSpan.FromSeconds(30));
        await host.Manager.TickAsync(default);
        await host.Executor.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(150));
        await host.Executor.HeartbeatAsync(default);
        await host.Manager.TickAsync(default);
        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        await host.Manager.TickAsync(default);
        return host;
    }

    private async Task<TaskTestHost> NewAsync(Action<KaijuTasksOptions>? configure = null)
    {
        var host = new TaskTestHost(
            tasks => tasks.AddCommand("tick", async (TimeProvider clock, ITaskClient client, StageContext stage) => _runs.Add((
                (clock.GetUtcNow() - TaskTestHost.Start).TotalSeconds,
                ((await client.GetAsync(stage.TaskId))!.Occurrence!.Value - TaskTestHost.Start).TotalSeconds))),
            configure);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("tick")] });
        return host;
    }
}
