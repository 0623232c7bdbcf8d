using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Client;

public sealed class CancelTests
{
    [Fact]
    public async Task A_cancel_reaches_a_running_handler_and_its_result_is_not_recorded()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", MaxRetries = 3, Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        (await host.Client.CancelAsync("t")).Should().BeTrue();
        await host.Executor.CheckClaimsAsync(default);
        await gate.Cancelled;
        await host.Executor.WhenIdleAsync().Soon();
        await host.RunUntilIdleAsync();

        var cancelled = await host.GetAsync("t");
        (cancelled.State, cancelled.ExitCode, cancelled.RetryAt, cancelled.Error!.Kind).Should()
            .Be((TaskState.Failed, TaskExitCode.Aborted, null, TaskErrorKind.Cancelled));
        (await host.Client.CancelAsync("t")).Should().BeFalse("it has ended");
    }

    public static TheoryData<string, TaskDefinition> NotEnded => new()
    {
        { "idle", new TaskDefinition { RunAt = TaskTestHost.Start.AddDays(1), Commands = [new("do")] } },
        { "on demand", new TaskDefinition { RunAt = TaskDefinition.OnDemand, Commands = [new("do")] } },
        { "queued", new TaskDefinition { AppName = "elsewhere", Commands = [new("do")] } },
        { "waiting for a timer", new TaskDefinition { Commands = [new TimerCommand(TimeSpan.FromDays(1))] } },
        { "waiting for a message", new TaskDefinition { Commands = [new MessageCommand()] } },
        { "failed with a retry to come", new TaskDefinition { MaxRetries = 1, RetryDelay = TimeSpan.FromDays(
            1), Commands = [new("nobody")] } },
        { "disabled", new TaskDefinition { Enabled = false, Commands = [new("do")] } },
    };

    [Theory]
    [MemberData(nameof(NotEnded))]
    public async Task A_task_that_has_not_ended_can_be_cancelled_in_any_state(string what, TaskDefinition definition)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.RunAsync(definition with { Id = "t" });

        (await host.Client.CancelAsync("t")).Should().BeTrue(what);
        await host.AdvanceAsync(TimeSpan.FromDays(2));

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task =>
                task.State == TaskState.Failed && task.Error!.Kind == TaskErrorKind.Cancelled && task.Managed.HasEnded);
    }

    [Fact]
    public async Task A_suspended_task_can_be_cancelled()
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await host.ClaimByHandAsync("t");
        await host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);

        (await host.Client.CancelAsync("t")).Should().BeTrue();

        (await host.GetAsync("t")).State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public async Task A_cancelled_periodic_task_runs_at_its_next_occurrence()
    {
        var runs = new List<DateTimeOffset>();
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("tick", (TimeProvider clock) => runs.Add(clock.GetUtcNow())));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("tick")] });
        await host.AdvanceAsync(TimeSpan.FromSeconds(30));

        await host.Client.CancelAsync("t");
        await host.RunUntilIdleAsync();
        for (var i = 0; i < 4; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(30));
        }

        runs.Select(at => (at - TaskTestHost.Start).TotalSeconds).Should().Equal([30, 150], "12:02 was cancelled");
        (await host.GetAsync("t")).State.Should().Be(TaskState.Idle);
    }

    [Fact]
    public async Task A_lost_claim_in_the_same_process_is_noticed_without_a_poll()
    {
        var gate = new Gate();
        await using var host = new RunningHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await gate.Entered;

        await host.Client.CancelAsync("t");

        await gate.Cancelled;
    }

    [Fact]
    public async Task A_cancel_whose_hint_is_lost_reaches_the_handler_at_the_next_claim_check()
    {
        var gate = new Gate();
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("slow", gate.PassAsync),
            store: inner => new DeafStore(inner, StoreHintKinds.ClaimLost));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await gate.Entered;

        await host.Client.CancelAsync("t");
        await host.Clock.PassAsync(TimeSpan.FromSeconds(1));

        await gate.Cancelled;
    }
}
