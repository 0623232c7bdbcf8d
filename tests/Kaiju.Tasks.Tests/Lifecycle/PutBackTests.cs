using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The pure rules about holds and about executors that do not know a stage's command.</summary>
public sealed class PutBackTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly DateTimeOffset _later = _now.AddSeconds(20);
    private static readonly Guid _claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301");
    private static readonly LifecycleRules _rules = new() { RetryDelay = RetryDelay.Constant(TimeSpan.FromSeconds(5)) };

    private static readonly TaskDefinition _task = new()
    {
        Id = "t",
        AppName = "app",
        MaxExecTimeout = TimeSpan.FromSeconds(300),
        MaxRetries = 2,
        Commands = [new("do"), new("do.2")],
    };

    private static readonly TaskDefinition _template = _task with { Commands = [new("do.[executor.kind]"), new("do")] };

    [Fact]
    public void A_queued_task_has_the_method_of_its_stage()
    {
        TaskLifecycle.Create(_task, "job", _now).Method.Should().Be("do");

        var suspended = Executing() with { State = TaskState.Suspended, Claim = null, Stage = 1 };
        Next(suspended, new TaskEvent.QueueDue(hasResults: true))!.After.Method.Should().Be("do.2");
    }

    [Fact]
    public void A_method_that_is_a_template_has_no_value_before_an_executor_fills_it() =>
        TaskLifecycle.Create(_template, "job", _now).Method.Should().BeNull();

    [Fact]
    public void A_task_that_is_put_back_is_queued_without_a_claim()
    {
        var back = PutBack(Executing(), "do")!.After;

        (back.State, back.Stage, back.StatusChange).Should().Be((TaskState.Queued, 0, _later));
        (back.Claim, back.ExecutorId).Should().Be((null, null));
        back.ExecDeadline.Should().Be(_later.AddSeconds(300));
    }

    [Fact]
    public void A_task_that_is_put_back_is_held_until_an_executor_that_knows_its_command_claims_it()
    {
        var back = PutBack(Executing(), "do")!.After;

        (back.Hold, back.Method).Should().Be((TaskHold.UnknownCommand, "do"));
        Next(back, Claimed()).Should().BeNull("this executor has announced nothing");
        Next(back, Claimed("other", "Do")).Should().BeNull("this one has announced other commands");
        Next(back, Claimed("other", "do"))!.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Executing && state.Hold == TaskHold.None);
    }

    [Theory]
    [InlineData(TaskHold.Paused)]
    [InlineData((TaskHold)3)]
    public void A_task_that_is_paused_or_held_by_a_later_version_is_not_claimed_by_any_executor(TaskHold hold) =>
        Next(Queued() with { Hold = hold }, Claimed("do")).Should().BeNull();

    [Fact]
    public void A_task_that_is_not_held_is_claimed_by_any_executor()
    {
        Next(Queued(), Claimed()).Should().NotBeNull();
        Next(Queued(), Claimed("other")).Should().NotBeNull("it may be a task whose command all others know");
    }

    [Fact]
    public void A_task_that_is_put_back_keeps_its_place_in_the_queue() =>
        PutBack(Executing(), "do")!.After.QueuedAt.Should().Be(_now);

    [Fact]
    public void A_put_back_is_neither_an_attempt_nor_an_interruption()
    {
        var back = PutBack(Executing() with { Retries = 1, Interruptions = 1 }, "do")!;

        (back.After.Retries, back.After.Attempt, back.After.Interruptions).Should().Be((1, 2, 1));
        back.Entry.Should().BeNull("the stage did not run");
        back.Notify.Should().BeFalse();
    }

    [Theory]
    [InlineData(0, false, "another claim")]
    [InlineData(1, true, "another stage")]
    public void A_put_back_with_another_claim_or_stage_changes_nothing(int stage, bool sameClaim, string why) =>
        PutBack(Executing(), "do", stage: stage, claim: sameClaim ? _claim : Guid.NewGuid()).Should().BeNull(why);

    [Fact]
    public void A_put_back_that_is_delivered_again_is_recognized()
    {
        var back = PutBack(Executing(), "do")!.After;

        PutBack(back, "do").Should().BeNull("the task has no claim any more");
        TaskLifecycle.IsRecorded(back, null, new ReportId(_claim, 0, ReportKind.PutBack)).Should().BeTrue();
        TaskLifecycle.IsRecorded(back, null, new ReportId(_claim, 0, ReportKind.Failed)).Should().BeFalse();
    }

    [Fact]
    public void A_put_back_under_the_same_method_does_not_count_again()
    {
        var back = Enumerable.Range(0, 10).Aggregate(
            Queued(), (state, _) => PutBack(Claim(state), "do", _template)!.After);

        (back.State, back.PutBacks).Should().Be((TaskState.Queued, 1));
    }

    [Fact]
    public void The_third_different_method_at_a_stage_fails_the_run()
    {
        var first = PutBack(Executing(), "do.a", _template)!.After;
        var second = PutBack(Claim(first), "do.b", _template)!.After;
        var third = PutBack(Claim(second), "do.c", _template)!;

        (first.PutBacks, second.PutBacks).Should().Be((1, 2));
        third.After.State.Should().Be(TaskState.Failed);
        third.After.Error!.Kind.Should().Be(TaskErrorKind.UnknownCommand);
        third.After.Error.Message.Should().Contain("\"do.c\"").And.Contain("stage 0");
        third.After.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        third.Entry!.Error.Should().Be(third.After.Error, "the history shows the attempt");
    }

    /// <summary>Otherwise two executors that each name a command of the other would pass the task on forever.</summary>
    [Fact]
    public void A_method_counts_again_after_another_one()
    {
        var first = PutBack(Executing(), "do.a", _template)!.After;
        var second = PutBack(Claim(first), "do.b", _template)!.After;

        PutBack(Claim(second), "do.a", _template)!.After.State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public void A_failure_by_too_many_methods_is_retried_and_counts_from_the_start()
    {
        var failed = PutBack(Executing() with { PutBacks = 2, Method = "do.b" }, "do.c", _template)!.After;

        failed.RetryAt.Should().Be(_later.AddSeconds(5));
        failed.PutBacks.Should().Be(0);
        var retried = Next(failed, new TaskEvent.CheckRetry(), _template, _later.AddSeconds(5))!.After;
        (retried.State, retried.Method, retried.Hold).Should().Be((TaskState.Queued, null, TaskHold.None));
    }

    [Fact]
    public void The_last_name_of_a_template_stays_known_when_the_stage_is_queued_again()
    {
        var claimed = Claim(PutBack(Executing(), "do.a", _template)!.After);
        var suspended = Next(claimed, new TaskEvent.Interrupted(), _template)!.After;

        var queued = Next(suspended, new TaskEvent.QueueDue(hasResults: false), _template)!.After;

        (queued.Method, queued.PutBacks).Should().Be(("do.a", 1));
    }

    [Fact]
    public void A_stage_that_is_done_ends_the_count()
    {
        var claimed = Claim(PutBack(Executing(), "do.a", _template)!.After);

        var done = Next(claimed, Report(StageOutcome.Completed()), _template)!.After;

        (done.Stage, done.PutBacks).Should().Be((1, 0));
    }

    [Fact]
    public void A_retry_from_the_first_stage_ends_the_count()
    {
        var task = _template with { RestartPolicy = RestartPolicy.First };
        var claimed = Claim(PutBack(Executing(), "do.a", _template)!.After);
        var failed = Next(claimed, Report(StageOutcome.Failed(TaskError.Create("handler", "boom"))), task)!.After;

        var retried = Next(failed, new TaskEvent.CheckRetry(), task, _later.AddSeconds(5))!.After;

        (retried.Pass, retried.PutBacks, retried.Method).Should().Be((1, 0, null));
    }

    [Fact]
    public void A_reset_ends_the_hold_and_the_count()
    {
        var back = PutBack(Executing(), "do.a", _template)!.After;

        var reset = Next(back, new TaskEvent.Reset("new"), _template)!.After;

        (reset.Hold, reset.PutBacks).Should().Be((TaskHold.None, 0));
    }

    [Theory]
    [InlineData(TaskHold.UnknownCommand)]
    [InlineData(TaskHold.Paused)]
    public void A_held_task_is_cancelled_like_any_other(TaskHold hold) =>
        Next(Queued() with { Hold = hold }, new TaskEvent.Cancelled())!.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Failed && state.Hold == TaskHold.None);

    [Fact]
    public void The_time_of_a_held_task_in_the_queue_is_bounded_like_any_other()
    {
        var rules = new LifecycleRules { AbortOverdueQueued = true };
        var back = PutBack(Executing(), "do")!.After;

        TaskLifecycle.OverdueSince(_task, back, rules).Should().Be(_now.AddSeconds(300) + rules.AbortGrace);
    }

    /// <summary>While a task is disabled, no duty corrects its hold.</summary>
    [Fact]
    public void An_update_has_the_hold_of_a_queued_task_decided_anew()
    {
        var held = Queued() with { Hold = TaskHold.Paused };

        TaskUpdate.Apply(_task, _task with { Enabled = false }, held, _now).Hold.Should().Be(TaskHold.None);
    }

    [Fact]
    public void An_update_leaves_a_hold_that_only_a_later_version_knows()
    {
        var held = Queued() with { Hold = (TaskHold)3 };

        TaskUpdate.Apply(_task, _task with { Priority = 1 }, held, _now).Hold.Should().Be((TaskHold)3);
    }

    [Fact]
    public void An_imported_task_has_its_hold_decided_anew()
    {
        var record = new TaskRecord
        {
            Definition = _task,
            Managed = Queued() with { Hold = TaskHold.Paused, Method = "old" },
            Created = _now,
            Result = [],
        };

        var imported = TaskImport.State(record, _claim, _now, _rules);

        (imported.Hold, imported.Method).Should().Be((TaskHold.None, "do"));
    }

    private static ManagedState Queued() => TaskLifecycle.Create(_task, "job", _now);

    private static ManagedState Executing() => Claim(Queued());

    private static ManagedState Claim(ManagedState queued) =>
        queued with { State = TaskState.Executing, Hold = TaskHold.None, ExecutorId = "e", Claim = _claim };

    private static TaskEvent.Claimed Claimed(params string[] commands) =>
        new("e", _claim, commands.Length == 0 ? null : commands);

    private static Transition? PutBack(
        ManagedState state, string method, TaskDefinition? task = null, int stage = 0, Guid? claim = null) =>
        Next(state, Report(StageOutcome.PutBack(method), stage, claim), task, _later);

    private static TaskEvent.Reported Report(StageOutcome outcome, int stage = 0, Guid? claim = null) =>
        new(
            new StageReport
            {
                TaskId = "t",
                Claim = claim ?? _claim,
                JobId = "job",
                Attempt = 1,
                Stage = stage,
                Outcome = outcome,
                Elapsed = TimeSpan.FromSeconds(2),
            });

    private static Transition? Next(
        ManagedState state, TaskEvent happened, TaskDefinition? task = null, DateTimeOffset? at = null) =>
        TaskLifecycle.Next(task ?? _task, state, happened, at ?? _now, _rules);
}
