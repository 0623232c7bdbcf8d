using System.Collections.Concurrent;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>A stop releases tasks and does not fail them.</summary>
public sealed class StopTests
{
    [Fact]
    public async Task A_stage_that_ends_in_time_is_recorded_and_the_rest_is_released()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("slow", gate.PassAsync).AddCommand("next", () => "next"));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow"), new("next")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        gate.Open();
        await stopped.Soon();

        var task = await host.GetAsync("t");
        task.Should().Match<TaskRecord>(
            t => t.State == TaskState.Suspended && t.Stage == 1 && t.ExecutorId == null && t.Retries == 0);
        task.Managed.Interruptions.Should().Be(0);
        task.Result.Texts().Should().Equal("null");
    }

    [Fact]
    public async Task A_stage_that_does_not_end_is_cancelled_and_runs_again_elsewhere()
    {
        var gate = new Gate();
        var attempts = new List<int>();
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("slow", async (StageContext context, CancellationToken token) =>
        {
            attempts.Add(context.Attempt);
            if (attempts.Count == 1)
            {
                await gate.PassAsync(token);
            }
        }));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        host.Clock.Advance(host.Options.StopTimeout);
        await gate.Cancelled;
        await stopped.Soon();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(t => t.State == TaskState.Suspended && t.Error == null);
        await host.Manager.TickAsync(default);
        var other = host.NewExecutor();
        await other.Claimer.ClaimAsync(default);
        await other.WhenIdleAsync().Soon();
        (await host.GetAsync("t")).State.Should().Be(TaskState.Finished);
        attempts.Should().Equal(1, 1);
    }

    [Fact]
    public async Task A_handler_that_ignores_its_token_does_not_hold_up_the_stop_and_cannot_write_afterwards()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("stubborn", gate.PassStubbornlyAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("stubborn")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        host.Clock.Advance(host.Options.StopTimeout);
        await gate.Cancelled;
        host.Clock.Advance(host.Options.StopCancelTimeout);
        await stopped.Soon();

        (await host.GetAsync("t")).State.Should().Be(TaskState.Suspended);
        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            t => t.State == TaskState.Suspended && t.Result.Count == 0);
    }

    [Fact]
    public async Task An_executor_that_stops_claims_no_more()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Executor.StopAsync(default);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        (await host.Executor.Claimer.ClaimAsync(default)).Should().Be(0);
        (await host.GetAsync("t")).State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public async Task A_released_task_resumes_with_its_recorded_results()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("b", () => "b"));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("a"), new("b")] });
        var claimed = await host.ClaimByHandAsync("t");
        (await host.ReportByHandAsync(claimed, ByHand.Result("\"a\""))).Should().Be(ReportAnswer.Recorded);

        var moves = await host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
        moves.Should()
            .ContainSingle().Which
            .Should()
            .Match<TaskMove>(
                move => move.TaskId == "t" && move.From == TaskState.Executing && move.To == TaskState.Suspended);
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Result.Texts().Should().Equal("\"a\"", "\"b\"");
    }

    [Fact]
    public async Task A_run_that_stops_between_stages_is_released_before_the_slowest_handler_ends()
    {
        var (quick, slow) = (new Gate(), new Gate());
        await using var host = new TaskTestHost(tasks =>
            tasks.AddCommand("quick", quick.PassAsync).AddCommand("slow", slow.PassAsync).AddCommand("next", () => 1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "q", Commands = [new("quick"), new("next")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "s", Commands = [new("slow"), new("next")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await quick.Entered;
        await slow.Entered;

        var stopped = host.Executor.StopAsync(default);
        quick.Open();
        await Waiting.Until(async () => (await host.GetAsync("q")).State == TaskState.Suspended);

        (await host.GetAsync("s")).State.Should().Be(TaskState.Executing, "its handler still runs");
        stopped.IsCompleted.Should().BeFalse();
        await host.Manager.TickAsync(default);
        var other = host.NewExecutor();
        await other.Claimer.ClaimAsync(default);
        await other.WhenIdleAsync().Soon();
        (await host.GetAsync("q")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.Managed.Interruptions == 0);
        slow.Open();
        await stopped.Soon();
        (await host.GetAsync("s")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Suspended && task.Stage == 1);
    }

    [Fact]
    public async Task A_run_that_has_stopped_before_the_drain_begins_is_released_as_well()
    {
        var (quick, slow) = (new Gate(), new Gate());
        await using var host = new TaskTestHost(tasks =>
            tasks.AddCommand("quick", quick.PassAsync).AddCommand("slow", slow.PassAsync).AddCommand("next", () => 1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "q", Commands = [new("quick"), new("next")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "s", Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await quick.Entered;
        await slow.Entered;

        host.Executor.BeginStop();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Executor.Claimer.SlotFreed += () => ended.TrySetResult();
        quick.Open();
        await ended.Task.Soon();
        (await host.GetAsync("q")).State.Should().Be(TaskState.Executing);
        var stopped = host.Executor.StopAsync(default);

        await Waiting.Until(async () => (await host.GetAsync("q")).State == TaskState.Suspended);
        slow.Open();
        await stopped.Soon();
    }

    [Fact]
    public async Task A_run_that_ends_with_its_host_before_the_stop_begins_is_released_as_well()
    {
        var (quick, slow) = (new Gate(), new Gate());
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("slow", slow.PassAsync)
            .AddCommand("quick", async () =>
            {
                await quick.PassAsync(default);
                throw new OperationCanceledException();
            }));
        await host.Client.CreateAsync(new TaskDefinition { Id = "q", Commands = [new("quick")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "s", Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await quick.Entered;
        await slow.Entered;

        // The application's own stop signal, before it reaches the hosted services.
        host.Services.GetRequiredService<HostEnd>().Begin();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Executor.Claimer.SlotFreed += () => ended.TrySetResult();
        quick.Open();
        await ended.Task.Soon();
        (await host.GetAsync("q")).State.Should().Be(TaskState.Executing);
        var stopped = host.Executor.StopAsync(default);

        await Waiting.Until(async () => (await host.GetAsync("q")).State == TaskState.Suspended);
        slow.Open();
        await stopped.Soon();
    }

    [Fact]
    public async Task A_stop_releases_nothing_before_its_last_heartbeat_has_ended()
    {
        var gate = new Gate();
        LastPings? pings = null;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("slow", gate.PassAsync),
            options => options.Capacity = 1,
            inner => pings = new LastPings(inner));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await gate.Entered;

        // No slot is free, so that only the heartbeats' own loop pings.
        await host.Clock.SleepingAsync(host.Options.ClaimCheckInterval);
        pings!.IsWatched = true;
        host.Clock.Advance(host.Options.PingInterval);
        await pings.Begun.Task.Soon();

        // The stop comes first: a slot that is free earlier would make the claim loop ping as well.
        var stopped = host.StopAsync();
        gate.Open();
        await stopped.Soon();

        pings.Ends.Should().Equal("ping", "give back");
        (await pings.ListExecutorsAsync(default)).Should().BeEmpty(
            "a ping after that would make the executor known again");
    }

    /// <summary>A ping that ends only some time after its cancellation.</summary>
    private sealed class LastPings(ITaskStore inner) : DecoratedStore(inner)
    {
        private const int Turns = 1000;

        public bool IsWatched { get; set; }

        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> Ends { get; } = [];

        public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
            ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
        {
            if (IsWatched)
            {
                var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registration = cancellationToken.Register(told.SetResult);
                Begun.TrySetResult();
                await told.Task;
                for (var turn = 0; turn < Turns; turn++)
                {
                    await Task.Yield();
                }

                Ends.Enqueue("ping");
            }

            return await base.HeartbeatAsync(executor, claims, CancellationToken.None);
        }

        public override ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
            string executorId, CancellationToken cancellationToken)
        {
            Ends.Enqueue("give back");
            return base.SuspendExecutorAsync(executorId, cancellationToken);
        }
    }
}
