using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Living and dead executors, and the tasks of dead ones.</summary>
public sealed class LivenessTests
{
    [Fact]
    public async Task An_executor_that_misses_three_pings_is_expelled_and_its_task_queued()
    {
        await using var host = new TaskTestHost();
        await CreateAsync(host);
        var task = await host.ClaimByHandAsync("t");
        await host.BeatByHandAsync(task);

        await host.WatchForAsync(TimeSpan.FromSeconds(90));
        await host.Manager.TickAsync(default);
        (await host.GetAsync("t")).State.Should().Be(TaskState.Executing, "ninety seconds are allowed");
        host.Clock.Advance(TimeSpan.FromTicks(1));
        await host.Manager.TickAsync(default);

        var queued = await host.GetAsync("t");
        queued.State.Should().Be(TaskState.Queued, "expelled and queued in the same tick");
        (queued.Managed.Interruptions, queued.Retries).Should().Be((1, 0));
    }

    [Fact]
    public async Task Pings_keep_an_executor_alive()
    {
        await using var host = new TaskTestHost();
        await CreateAsync(host);
        var task = await host.ClaimByHandAsync("t");
        for (var i = 0; i < 9; i++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(30));
            (await host.BeatByHandAsync(task)).Should().BeEmpty();
            await host.Manager.TickAsync(default);
        }

        (await host.GetAsync("t")).State.Should().Be(TaskState.Executing);
    }

    [Fact]
    public async Task A_task_that_crashes_its_executors_is_parked()
    {
        await using var host = new TaskTestHost(configure: options => options.MaxInterruptions = 3);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", MaxRetries = 5, Notify = true, Commands = [new("poison")] });
        for (var i = 0; i < 3; i++)
        {
            var executor = ByHand.Executor.With(e => e.Id, $"e{i}");
            await host.Store.HeartbeatAsync(executor, [], default);
            await host.ClaimByHandAsync("t", executor);
            await host.WatchForAsync(TimeSpan.FromSeconds(91));
            await host.Manager.TickAsync(default);
        }

        var parked = await host.GetAsync("t");
        (parked.State, parked.ExitCode, parked.RetryAt, parked.Error!.Kind).Should().Be(
            (TaskState.Failed, TaskExitCode.Aborted, null, TaskErrorKind.Interrupted));
        (await host.Client
            .ListNotificationsAsync().ToListAsync()).Should().ContainSingle().Which.IsFinal.Should().BeTrue();
    }

    [Fact]
    public async Task An_executor_that_was_frozen_finds_its_lost_claims_and_cancels_their_runs()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await CreateAsync(host, "slow");
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;
        await host.WatchForAsync(TimeSpan.FromSeconds(91));
        await host.Manager.TickAsync(default);

        await host.Executor.HeartbeatAsync(default);

        await gate.Cancelled;
        await host.Executor.WhenIdleAsync().Soon();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Queued && task.Error == null, "a lost claim writes nothing");
    }

    [Fact]
    public async Task An_executor_pings_before_it_claims()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Executor.Claimer.ClaimAsync(default);

        (await host.Store.GetTimeToNextDutyAsync(default)).Should().Be(
            TimeSpan.FromSeconds(90) + TimeSpan.FromTicks(1), "the executor's death is the next thing to look for");
    }

    [Fact]
    public async Task A_claim_returns_the_remaining_time()
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "t",
                MaxExecTimeout = TimeSpan.FromSeconds(77),
                Commands = [new("a"), new("b")],
            });
        host.Clock.Advance(TimeSpan.FromHours(1));

        var task = await host.ClaimByHandAsync("t");

        (task.TimeLeft, task.ExecDeadline).Should().Be((TimeSpan.FromSeconds(77), host.Now.AddSeconds(77)));
        (task.Stage, task.Stages, task.Attempt, task.Pass, task.Commands.Count).Should().Be((0, 2, 1, 0, 2));
    }

    [Fact]
    public async Task Lost_claims_are_found_without_a_ping()
    {
        await using var host = new TaskTestHost();
        await CreateAsync(host);
        var task = await host.ClaimByHandAsync("t");
        var held = new HeldClaim("t", task.Claim);
        (await host.Store.FindLostClaimsAsync([held], default)).Should().BeEmpty();

        await host.Client.CancelAsync("t");

        (await host.Store.FindLostClaimsAsync(
            [held, new HeldClaim("nobody", Guid.Empty)], default)).Should().Equal(task.Claim, Guid.Empty);
    }

    private static Task CreateAsync(TaskTestHost host, string method = "x") =>
        host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new(method)] });
}
