using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests.Engine;

public sealed class DeadlineTests
{
    [Fact]
    public async Task A_run_that_misses_its_deadline_is_cancelled_and_ends_with_exit_code_130()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", MaxExecTimeout = TimeSpan.FromSeconds(60), Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(60));
        await gate.Cancelled;
        await host.Executor.WhenIdleAsync().Soon();

        var failed = await host.GetAsync("t");
        (failed.State, failed.ExitCode).Should().Be((TaskState.Failed, TaskExitCode.Aborted));
        failed.Error!.Kind.Should().Be(TaskErrorKind.Timeout);
    }

    [Fact]
    public async Task A_missed_deadline_is_retried()
    {
        var gate = new Gate();
        var calls = 0;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand(
                "slow", (CancellationToken token) => ++calls == 1 ? gate.PassAsync(token) : Task.CompletedTask));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", MaxRetries = 1, Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(300));
        await host.Executor.WhenIdleAsync().Soon();
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.Retries == 1);
    }

    [Fact]
    public async Task A_stages_own_timeout_is_a_failure_with_exit_code_1()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("slow") { MaxTimeout = TimeSpan.FromSeconds(2) }] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(2));
        await gate.Cancelled;
        await host.Executor.WhenIdleAsync().Soon();

        var failed = await host.GetAsync("t");
        failed.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        failed.Error!.Kind.Should().Be(TaskErrorKind.StageTimeout);
        failed.Error.Message.Should().Contain("2 s");
    }

    /// <summary>
    /// The run ends at once with its reason; the slot stays taken until the handler returns its thread.
    /// </summary>
    [Theory]
    [InlineData(true, TaskErrorKind.StageTimeout)]
    [InlineData(false, TaskErrorKind.Timeout)]
    public async Task A_handler_that_blocks_its_thread_beyond_its_time_blocks_no_run(bool hasTimeout, string kind)
    {
        using var gate = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("block", () =>
        {
            entered.SetResult();
            gate.Wait();
            return "too late";
        }), options => options.Capacity = 1);
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            MaxExecTimeout = TimeSpan.FromSeconds(60),
            Commands = [new("block") { MaxTimeout = hasTimeout ? TimeSpan.FromSeconds(2) : null }, new("block")],
        });
        await host.Executor.Claimer.ClaimAsync(default);
        await entered.Task;

        var ended = host.Client.WaitAsync("t");
        host.Clock.Advance(TimeSpan.FromSeconds(hasTimeout ? 2 : 60));
        (await ended.Soon()).Error!.Kind.Should().Be(kind);
        host.Executor.Claimer.FreeSlots.Should().Be(0);

        gate.Set();
        await host.Executor.WhenIdleAsync().Soon();
        host.Executor.Claimer.FreeSlots.Should().Be(1);
        (await host.GetAsync("t")).Result.Should().BeEmpty();
    }

    /// <summary>One timer serves all runs and is set for the earliest deadline.</summary>
    [Fact]
    public async Task Each_of_several_runs_stops_at_its_own_deadline_whichever_was_claimed_first()
    {
        var gates = new Dictionary<string, (int Seconds, Gate Gate)>
        {
            ["last"] = (60, new()),
            ["first"] = (20, new()),
            ["second"] = (40, new()),
        };
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand(
                "slow",
                (StageContext context, CancellationToken token) => gates[context.TaskId].Gate.PassAsync(token)));
        foreach (var (id, (seconds, gate)) in gates)
        {
            await host.Client.CreateAsync(
                new TaskDefinition
                {
                    Id = id,
                    MaxExecTimeout = TimeSpan.FromSeconds(seconds),
                    Commands = [new("slow")],
                });
            await host.Executor.Claimer.ClaimAsync(default);
            await gate.Entered;
        }

        foreach (var (id, left) in new[] { ("first", 2), ("second", 1), ("last", 0) })
        {
            host.Clock.Advance(TimeSpan.FromSeconds(20));
            await gates[id].Gate.Cancelled;
            (await host.Client.WaitAsync(id).Soon()).Error!.Kind.Should().Be(TaskErrorKind.Timeout);
            (await host.Client.ListPageAsync(
                new TaskQuery { State = TaskState.Executing }, null, 10)).Items.Should().HaveCount(left);
        }
    }

    [Fact]
    public async Task An_exception_of_a_handlers_token_callback_ends_no_loop()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", async (CancellationToken token) =>
        {
            token.Register(() => throw new InvalidOperationException("a slip"));
            await gate.PassAsync(token);
        }));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "stage", Commands = [new("slow") { MaxTimeout = TimeSpan.FromSeconds(2) }] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        host.Clock.Advance(TimeSpan.FromSeconds(2));
        await host.Executor.WhenIdleAsync().Soon();

        (await host.GetAsync("stage")).Error!.Kind.Should().Be(TaskErrorKind.StageTimeout);
    }

    [Fact]
    public async Task A_handler_that_ignores_its_token_is_reported_at_once_but_keeps_its_slot()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("stubborn", gate.PassStubbornlyAsync), options => options.Capacity = 1);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("stubborn") { MaxTimeout = TimeSpan.FromSeconds(2) }] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;
        var ended = host.Client.WaitAsync("t");

        host.Clock.Advance(TimeSpan.FromSeconds(2));

        (await ended.Soon()).Error!.Kind.Should().Be(TaskErrorKind.StageTimeout);
        host.Executor.Claimer.FreeSlots.Should().Be(0, "the handler still runs");
        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        host.Executor.Claimer.FreeSlots.Should().Be(1);
    }

    [Fact]
    public async Task The_manager_aborts_an_overdue_run_that_its_executor_does_not_end()
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("x")] });
        var claimed = await host.ClaimByHandAsync("t");

        host.Clock.Advance(TimeSpan.FromSeconds(310));
        await host.BeatByHandAsync();
        await host.Manager.TickAsync(default);
        (await host.GetAsync("t")).State.Should().Be(TaskState.Executing, "the grace is ten seconds");
        host.Clock.Advance(TimeSpan.FromTicks(1));
        await host.Manager.TickAsync(default);

        var failed = await host.GetAsync("t");
        (failed.State, failed.ExitCode, failed.Error!.Kind).Should().Be(
            (TaskState.Failed, TaskExitCode.Aborted, TaskErrorKind.Timeout));
        (await host.ReportByHandAsync(claimed, StageOutcome.Completed())).Should().Be(ReportAnswer.Superseded);
    }

    [Fact]
    public async Task Time_in_the_queue_and_on_a_timer_does_not_count_towards_the_deadline()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            MaxExecTimeout = TimeSpan.FromSeconds(10),
            Commands = [new("do"), new TimerCommand(TimeSpan.FromDays(30)), new("do")],
        });
        host.Clock.Advance(TimeSpan.FromDays(10));
        await host.RunUntilIdleAsync();
        await host.AdvanceAsync(TimeSpan.FromDays(30));

        (await host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    /// <summary>
    /// Forces the interleaving: the timer of the first stage pauses after it has decided that the time is over.
    /// </summary>
    [Fact]
    public async Task The_timer_of_a_stage_that_ends_at_the_same_time_does_not_end_the_next_stage()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var entered = new ManualResetEventSlim();
        using var ends = new ManualResetEventSlim();
        var offload = new InterruptedOffload();
        await using var host = new TaskTestHost(tasks =>
        {
            tasks.Services.AddSingleton<Offload>(offload);
            tasks.AddCommand("first", () =>
            {
                begun.SetResult();
                return goes.Task;
            }).AddCommand("second", () =>
            {
                // The handler occupies the run's own thread while the first stage's timer continues.
                entered.Set();
                ends.Wait();
            });
        });
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            Commands = [
                new("first") { MaxTimeout = TimeSpan.FromSeconds(2) },
                new("second") { MaxTimeout = TimeSpan.FromSeconds(200) }],
        });
        await host.Executor.Claimer.ClaimAsync(default);
        await begun.Task.Soon();
        offload.BeforeCancel = () =>
        {
            goes.SetResult();
            entered.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue();
        };

        host.Clock.Advance(TimeSpan.FromSeconds(2));
        ends.Set();
        await host.Executor.WhenIdleAsync().Soon();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.Error == null);
    }

    /// <summary>The interruption falls between the last check of the run and the call, at the stage's timer.</summary>
    [Theory]
    [InlineData(true, TaskState.Failed)]
    [InlineData(false, TaskState.Failed)]
    public async Task A_handler_is_not_called_once_its_run_or_its_time_is_over(bool isCancelled, TaskState ends)
    {
        var calls = 0;
        var limit = TimeSpan.FromSeconds(7);
        var clock = new InterruptedClock();
        await using var host = new TaskTestHost(tasks =>
        {
            tasks.Services.AddSingleton<TimeProvider>(clock);
            tasks.AddCommand("do", () => ++calls);
        });
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do") { MaxTimeout = limit }] });
        clock.AfterTimer = due =>
        {
            if (due != limit)
            {
                return;
            }

            if (isCancelled)
            {
                host.Client.CancelAsync("t").GetAwaiter().GetResult();
                host.Executor.CheckClaimsAsync(default).GetAwaiter().GetResult();
            }
            else
            {
                clock.Advance(limit);
            }
        };

        await host.Executor.Claimer.ClaimAsync(default);
        await host.Executor.WhenIdleAsync().Soon();

        calls.Should().Be(0);
        var task = await host.GetAsync("t");
        task.State.Should().Be(ends);
        task.Error!.Kind.Should().Be(isCancelled ? TaskErrorKind.Cancelled : TaskErrorKind.StageTimeout);
    }

    private sealed class InterruptedOffload : Offload
    {
        public Action? BeforeCancel { get; set; }

        public override void Cancel(CancellationTokenSource source)
        {
            var before = BeforeCancel;
            BeforeCancel = null;
            before?.Invoke();
            base.Cancel(source);
        }
    }

    private sealed class InterruptedClock() : FakeTimeProvider(TaskTestHost.Start)
    {
        public Action<TimeSpan>? AfterTimer { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            AfterTimer?.Invoke(dueTime);
            return timer;
        }
    }
}
