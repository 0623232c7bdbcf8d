using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>The loops on fake time: hints and the clock wake them, and no fault ends them.</summary>
public sealed class LoopTests
{
    [Fact]
    public async Task A_task_runs_while_the_clock_stands_still()
    {
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("a", () => "a").AddCommand("b", (string x) => x + "b"));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("a"), new("b", new { x = "[0]" })] });

        var done = await host.Client.WaitAsync("t").Soon();

        done.Result.Texts().Should().Equal("\"a\"", "\"ab\"");
    }

    [Fact]
    public async Task Retries_messages_and_chains_proceed_by_hints_alone()
    {
        var calls = 0;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("flaky", () => ++calls < 3 ? throw new InvalidOperationException() : calls));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "after", RunAt = TaskDefinition.OnDemand, Commands = [new("flaky")] });
        var after = host.Client.WaitAsync("after");
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "t",
                MaxRetries = 2,
                NextTask = "after",
                Commands = [new("flaky"), new MessageCommand()],
            });

        await Waiting.Until(() => host.Client.SendMessageAsync("t", 1));

        (await host.Client.WaitAsync("t").Soon()).State.Should().Be(TaskState.Finished);
        (await after.Soon()).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_timer_is_woken_when_it_is_due()
    {
        await using var host = new RunningHost();
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new TimerCommand(TimeSpan.FromSeconds(3))] });

        var done = host.Client.WaitAsync("t");
        await host.Clock.PassAsync(TimeSpan.FromSeconds(3));

        (await done.Soon()).Ended.Should().Be(TaskTestHost.Start.AddSeconds(3));
    }

    [Theory]
    [InlineData(nameof(ITaskStore.QueueDueAsync))]
    [InlineData(nameof(ITaskStore.GetTimeToNextDutyAsync))]
    [InlineData(nameof(ITaskStore.HeartbeatAsync))]
    [InlineData("ClaimNext")]
    [InlineData(nameof(ITaskStore.RecordAsync))]
    public async Task A_fault_makes_a_loop_back_off_and_does_not_end_it(string member)
    {
        var faults = 0;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1),
            store: inner => new FaultyStore(inner)
            {
                FailsBefore = called => called == member && Interlocked.Increment(ref faults) <= 2,
            },
            realTime: true);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new TimerCommand(TimeSpan.FromMilliseconds(1)), new("do")] });

        (await host.Client.WaitAsync("t").Soon()).State.Should().Be(TaskState.Finished);

        // The loop keeps polling after every kind of fault.
        await Waiting.Until(() => Task.FromResult(Volatile.Read(ref faults) > 2));
    }

    [Fact]
    public async Task A_report_whose_answer_is_lost_is_repeated_and_its_stage_is_not_run_again()
    {
        var (runs, lost) = (0, 0);
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("count", () => Interlocked.Increment(ref runs)),
            store: inner => new FaultyStore(inner)
            {
                FailsAfter = called =>
                    called == nameof(ITaskStore.RecordAsync) && Interlocked.Increment(ref lost) is 1 or 3,
            },
            realTime: true);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("count"), new("count")] });

        (await host.Client.WaitAsync("t").Soon()).Result.Texts().Should().Equal("1", "2");
        runs.Should().Be(2);
        lost.Should().BeGreaterThan(2);
    }

    [Fact]
    public async Task Tasks_of_a_claim_whose_answer_is_lost_are_released_and_run()
    {
        var (runs, lost) = (0, 0);
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("count", () => Interlocked.Increment(ref runs)),
            store: inner => new FaultyStore(inner)
            {
                FailsAfter = called => called == "ClaimNext" && Interlocked.Increment(ref lost) == 1,
            },
            realTime: true);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("count")] });

        var run = await host.Client.WaitAsync("t").Soon();

        (run.State, run.Retries, runs).Should().Be((TaskState.Finished, 0, 1));
        (await host.Client.GetAsync("t"))!.Managed.Interruptions.Should().Be(0);
    }

    [Fact]
    public async Task A_loop_that_fails_is_restarted()
    {
        var deaths = 0;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1),
            store: inner => new UnwillingStore(inner, () => Interlocked.Increment(ref deaths) <= 3),
            realTime: true);
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "t",
                RunAt = TimeProvider.System.GetUtcNow().AddMilliseconds(20),
                Commands = [new("do")],
            });

        await Waiting.Until(async () => (await host.Client.GetAsync("t"))!.State == TaskState.Finished);

        host.Logs.Lines.Should().Contain(line =>
            line.Event.Id == 302
                && line.Text == "The Manager loop failed unexpectedly; restarting it in 00:00:00.1000000. Please "
                    + "report this.");
    }

    [Fact]
    public async Task A_failed_tick_is_repeated_although_nothing_is_due()
    {
        var isAway = true;
        await using var host = new RunningHost(store: inner => new FaultyStore(inner)
        {
            FailsBefore = member => Volatile.Read(ref isAway)
                && member is (nameof(ITaskStore.QueueDueAsync) or nameof(ITaskStore.GetTimeToNextDutyAsync)),
        });
        await host.Clock.PassAsync(TimeSpan.FromMilliseconds(100));
        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(200));
        Volatile.Write(ref isAway, false);

        await host.Clock.PassAsync(TimeSpan.FromMilliseconds(200));

        await Waiting.Until(() => Task.FromResult(host.Logs.Lines.Any(line => line.Event.Id == 532)));
    }

    [Fact]
    public async Task A_host_that_is_disposed_without_a_stop_claims_no_more()
    {
        var host = new RunningHost(tasks => tasks.AddCommand("do", () => 1));
        var store = host.Services.GetRequiredService<ITaskStore>();
        var task = host.Services.GetRequiredService<TaskDefinitionChecker>().Prepare(
            new TaskDefinition { Id = "t", Commands = [new("do")] });
        await host.Clock.SleepingAsync(TimeSpan.FromSeconds(5));

        await host.AbandonAsync();
        await store.CreateAsync([task], OnConflict.Fail, default);
        host.Clock.Advance(TimeSpan.FromSeconds(10));

        (await store.GetAsync("t", default))!.State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public async Task An_executor_runs_at_most_its_capacity_and_claims_again_when_a_slot_is_free()
    {
        var (now, most) = (0, 0);
        var gates = Enumerable.Range(0, 3).Select(_ => new Gate()).ToArray();
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("slow", async (int i, CancellationToken token) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                await gates[i].PassAsync(token);
                Interlocked.Decrement(ref now);
            }),
            options => options.Capacity = 2);
        var ends = new List<Task<TaskRun>>();
        for (var i = 0; i < 3; i++)
        {
            await host.Client.CreateAsync(new TaskDefinition { Id = $"t{i}", Commands = [new("slow", new { i })] });
            ends.Add(host.Client.WaitAsync($"t{i}"));
        }

        await gates[0].Entered;
        await gates[1].Entered;
        gates[0].Open();
        await gates[2].Entered;
        gates[1].Open();
        gates[2].Open();
        await Task.WhenAll(ends).Soon();

        most.Should().Be(2);
    }

    [Fact]
    public async Task A_stopping_host_releases_its_tasks_and_another_resumes_them()
    {
        var gate = new Gate();
        await using var host = new RunningHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await gate.Entered;

        var stopped = host.StopAsync();
        await host.Clock.PassAsync(TimeSpan.FromSeconds(20));
        await gate.Cancelled;
        await stopped.Soon();

        (await host.Client.GetAsync("t"))!.Should().Match<TaskRecord>(
            task => task.State == TaskState.Suspended && task.Managed.Interruptions == 0);
    }
}
