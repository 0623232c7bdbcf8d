using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Stopping is not failing.</summary>
public sealed class StopTests
{
    [Fact]
    public async Task A_stage_that_ends_in_time_is_recorded_and_the_rest_is_given_back()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync).AddCommand("next", () => "next"));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow"), new("next")] });
        await host.Executor.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        gate.Open();
        await stopped.Soon();

        var task = await host.GetAsync("t");
        task.Should().Match<TaskRecord>(t => t.State == TaskState.Suspended && t.Stage == 1 && t.ExecutorId == null && t.Retries == 0);
        task.Managed.Interruptions.Should().Be(0);
        task.Result.Texts().Should().Equal("null");
    }

    [Fact]
    public async Task A_stage_that_does_not_end_is_cancelled_and_runs_again_elsewhere()
    {
        var gate = new Gate();
        var attempts = new List<int>();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", async (StageContext context, CancellationToken token) =>
        {
            attempts.Add(context.Attempt);
            if (attempts.Count == 1)
            {
                await gate.PassAsync(token);
            }
        }));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await host.Executor.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        host.Clock.Advance(host.Options.StopTimeout);
        await gate.Cancelled;
        await stopped.Soon();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(t => t.State == TaskState.Suspended && t.Error == null);
        await host.Manager.TickAsync(default);
        var other = host.NewExecutor();
        await other.ClaimAsync(default);
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
        await host.Executor.ClaimAsync(default);
        await gate.Entered;

        var stopped = host.Executor.StopAsync(default);
        host.Clock.Advance(host.Options.StopTimeout);
        await gate.Cancelled;
        host.Clock.Advance(host.Options.StopCancelTimeout);
        await stopped.Soon();

        (await host.GetAsync("t")).State.Should().Be(TaskState.Suspended);
        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(t => t.State == TaskState.Suspended && t.Result.Count == 0);
    }

    [Fact]
    public async Task An_executor_that_stops_claims_no_more()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Executor.StopAsync(default);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        (await host.Executor.ClaimAsync(default)).Should().Be(0);
        (await host.GetAsync("t")).State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public async Task What_was_given_back_goes_on_with_what_it_had_recorded()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("b", () => "b"));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("a"), new("b")] });
        var claimed = await host.ClaimByHandAsync("t");
        (await host.ReportByHandAsync(claimed, ByHand.Result("\"a\""))).Should().Be(ReportAnswer.Recorded);

        var moves = await host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
        moves.Should().ContainSingle().Which.Should().Match<TaskMove>(move => move.TaskId == "t" && move.From == TaskState.Executed && move.To == TaskState.Suspended);
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Result.Texts().Should().Equal("\"a\"", "\"b\"");
    }
}
