using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The pure rules, one event at a time.</summary>
public sealed class TaskLifecycleTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
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

    [Fact]
    public void A_new_task_that_is_due_is_queued_at_once()
    {
        var state = TaskLifecycle.Create(_task, "job", _now);

        state.State.Should().Be(TaskState.Queued);
        (state.QueuedAt, state.ExecDeadline).Should().Be((_now, _now.AddSeconds(300)));
        (state.JobId, state.ResultRun, state.Pass).Should().Be(("job", "job", 0));
    }

    [Fact]
    public void A_new_task_with_a_time_waits_for_it() =>
        TaskLifecycle.Create(_task with { RunAt = _now.AddDays(1) }, "job", _now)
            .Should().Match<ManagedState>(state => state.State == TaskState.Idle && state.NextRun == _now.AddDays(1));

    [Fact]
    public void A_new_task_on_demand_waits_until_it_is_started() =>
        TaskLifecycle.Create(_task with { RunAt = TaskDefinition.OnDemand }, "job", _now)
            .Should().Match<ManagedState>(state => state.State == TaskState.Idle && state.NextRun == null);

    [Fact]
    public void A_new_periodic_task_waits_for_its_first_occurrence_unless_it_has_a_time()
    {
        var periodic = _task with { Cron = "0 3 * * *" };

        TaskLifecycle.Create(periodic, "job", _now).NextRun.Should().Be(
            new DateTimeOffset(2024, 6, 16, 3, 0, 0, TimeSpan.Zero));
        TaskLifecycle.Create(periodic with { RunAt = _now }, "job", _now).State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public void A_new_task_that_is_disabled_is_not_queued() =>
        TaskLifecycle.Create(_task with { Enabled = false }, "job", _now).State.Should().Be(TaskState.Idle);

    [Fact]
    public void Only_a_queued_enabled_task_is_claimed_and_its_time_begins_then()
    {
        var claimed = Next(Queued(), new TaskEvent.Claimed("e", _claim), at: _now.AddHours(1))!.After;

        claimed.State.Should().Be(TaskState.Executing);
        (claimed.ExecutorId, claimed.Claim).Should().Be(("e", _claim));
        claimed.ExecDeadline.Should().Be(_now.AddHours(1).AddSeconds(300), "waiting in the queue is not executing");
        Next(claimed, new TaskEvent.Claimed("other", Guid.Empty)).Should().BeNull();
        Next(Queued(), new TaskEvent.Claimed("e", _claim), _task with { Enabled = false }).Should().BeNull();
    }

    [Fact]
    public void A_result_moves_the_task_to_its_next_stage_in_the_same_state()
    {
        var next = Next(Executing(), Report(0, StageOutcome.Completed(Json.Of("1"))))!;

        next.After.Stage.Should().Be(1);
        (next.After.State, next.After.Claim, next.After.StatusChange).Should().Be((TaskState.Executing, _claim, _now));
        next.Entry!.Result.GetRawText().Should().Be("1");
        (next.Entry.JobId, next.Entry.Pass, next.Entry.Stage, next.Entry.Attempt).Should().Be(("job", 0, 0, 1));
        (next.Entry.Started, next.Entry.Finished).Should().Be((_now.AddSeconds(-2), _now));
    }

    [Fact]
    public void The_last_result_finishes_the_task_and_starts_the_next_one()
    {
        var next = Next(
            Executing() with { Stage = 1 },
            Report(1, StageOutcome.Completed()),
            _task with { Notify = true, NextTask = "after" })!;

        next.After.State.Should().Be(TaskState.Finished);
        next.After.Should().Match<ManagedState>(state =>
            state.Stage == 1 && state.ExitCode == TaskExitCode.Success && state.Claim == null
                && state.ExecutorId == null && state.NextRun == null && state.HasEnded);
        next.Notify.Should().BeTrue();
        next.StartNext.Should().Be("after");
    }

    [Theory]
    [InlineData(1, true, "another stage")]
    [InlineData(0, false, "another claim")]
    public void A_report_with_another_claim_or_stage_changes_nothing(int stage, bool sameClaim, string why)
    {
        var report = new TaskEvent.Reported(new StageReport
        {
            TaskId = "t",
            Claim = sameClaim ? _claim : Guid.NewGuid(),
            JobId = "job",
            Attempt = 1,
            Stage = stage,
            Outcome = StageOutcome.Completed(),
        });

        Next(Executing(), report).Should().BeNull(why);
    }

    [Theory]
    [InlineData(TaskState.Idle)]
    [InlineData(TaskState.Queued)]
    [InlineData(TaskState.Suspended)]
    [InlineData(TaskState.Waiting)]
    [InlineData(TaskState.Finished)]
    [InlineData(TaskState.Failed)]
    public void A_task_that_is_not_executed_has_no_claim_to_report_under(TaskState state) =>
        Next(Executing() with { State = state, Claim = null }, Report(0, StageOutcome.Completed())).Should().BeNull();

    [Fact]
    public void A_failure_is_final_only_when_retries_are_used_up()
    {
        var error = TaskError.Create("handler", "boom");

        var first = Next(
            Executing(), Report(0, StageOutcome.Failed(error)), _task with { Notify = true, NextTask = "after" })!;
        first.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Failed && state.RetryAt == _now.AddSeconds(5) && !state.HasEnded
                && state.Claim == null);
        first.After.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        first.Notify.Should().BeTrue();
        first.StartNext.Should().BeNull("only a finished task starts the next one");
        first.Entry!.Error.Should().Be(error);

        var last = Next(Executing() with { Retries = 2 }, Report(0, StageOutcome.Failed(error)))!;
        last.After.RetryAt.Should().BeNull();
        last.After.HasEnded.Should().BeTrue();
        last.Entry!.Attempt.Should().Be(3);
    }

    [Fact]
    public void A_tasks_own_retry_delay_overrides_the_hosts()
    {
        var failed = Next(
            Executing(),
            Report(0, StageOutcome.Failed(TaskError.Create("handler", "boom"))),
            _task with { RetryDelay = TimeSpan.Zero })!;

        failed.After.RetryAt.Should().Be(_now);
    }

    [Fact]
    public void A_retry_of_current_keeps_its_pass_and_one_of_first_begins_the_next()
    {
        var failed = Executing() with
        {
            State = TaskState.Failed,
            Claim = null,
            Stage = 1,
            RetryAt = _now,
            ExitCode = TaskExitCode.ExecutionError,
            Error = TaskError.Create("x", "y"),
        };

        var current = Next(failed, new TaskEvent.CheckRetry())!.After;
        current.Should().Match<ManagedState>(
            state => state.State == TaskState.Queued && state.Stage == 1 && state.Pass == 0 && state.Retries == 1);
        (current.Error, current.ExitCode, current.RetryAt).Should().Be(
            ((TaskError?)null, (TaskExitCode?)null, (DateTimeOffset?)null));

        var first = Next(failed, new TaskEvent.CheckRetry(), _task with { RestartPolicy = RestartPolicy.First })!.After;
        first.Should().Match<ManagedState>(
            state => state.Stage == 0 && state.Pass == 1 && state.ResultPass == 1 && state.Retries == 1);
    }

    [Fact]
    public void A_retry_waits_for_its_time_and_for_an_enabled_task()
    {
        var failed = Executing() with { State = TaskState.Failed, Claim = null, RetryAt = _now.AddSeconds(1) };

        Next(failed, new TaskEvent.CheckRetry()).Should().BeNull();
        Next(failed, new TaskEvent.CheckRetry(), _task with { Enabled = false }, _now.AddSeconds(1)).Should().BeNull();
        Next(failed, new TaskEvent.CheckRetry(), at: _now.AddSeconds(1)).Should().NotBeNull();
    }

    [Fact]
    public void A_wait_leaves_the_executor_and_a_timer_ends_with_null()
    {
        var waiting = Next(Executing(), Report(0, StageOutcome.WaitFor(TimeSpan.FromMinutes(1))))!.After;
        waiting.Should().Match<ManagedState>(state =>
            state.State == TaskState.Waiting && state.Wait == WaitKind.Timer && state.WaitDeadline == _now.AddMinutes(1)
                && state.Claim == null && state.ExecutorId == null && state.Stage == 0);

        Next(waiting, new TaskEvent.CheckWait(), at: _now.AddSeconds(59)).Should().BeNull();
        Next(waiting, new TaskEvent.MessageSent(Json.Of("1")), at: _now).Should()
            .BeNull("a message does not end a timer");
        var woken = Next(waiting, new TaskEvent.CheckWait(), at: _now.AddMinutes(1))!;
        woken.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Suspended && state.Stage == 1 && state.Wait == WaitKind.None
                && state.WaitDeadline == null);
        woken.Entry!.Result.GetRawText().Should().Be("null");
    }

    [Fact]
    public void A_message_is_the_result_of_its_wait()
    {
        var waiting = Next(Executing(), Report(0, StageOutcome.WaitForMessage()))!.After;
        waiting.WaitDeadline.Should().BeNull();

        var woken = Next(waiting, new TaskEvent.MessageSent(Json.Of("""{"a":1}""")))!;

        woken.After.Should().Match<ManagedState>(state => state.State == TaskState.Suspended && state.Stage == 1);
        woken.Entry!.Result.GetRawText().Should().Be("""{"a":1}""");
    }

    [Fact]
    public void A_message_that_does_not_arrive_is_a_final_failure()
    {
        var waiting = Next(Executing(), Report(0, StageOutcome.WaitForMessage(TimeSpan.FromDays(3))))!.After;

        var failed = Next(waiting, new TaskEvent.CheckWait(), at: _now.AddDays(3))!.After;

        failed.Should().Match<ManagedState>(
            state =>
                state.State == TaskState.Failed && state.ExitCode == TaskExitCode.Aborted && state.RetryAt == null);
        failed.Error!.Kind.Should().Be(TaskErrorKind.MessageTimeout);
    }

    [Fact]
    public void A_wait_as_the_last_command_finishes_the_task_when_it_is_over()
    {
        var waiting = Executing() with
        {
            State = TaskState.Waiting,
            Claim = null,
            Stage = 1,
            Wait = WaitKind.Timer,
            WaitDeadline = _now,
        };

        var finished = Next(waiting, new TaskEvent.CheckWait(), _task with { Notify = true, NextTask = "after" })!;

        finished.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Finished && state.Stage == 1 && state.Wait == WaitKind.None);
        (finished.Notify, finished.StartNext).Should().Be((true, "after"));
    }

    [Fact]
    public void A_wait_of_a_kind_that_only_a_later_version_knows_is_ended_by_clients_alone()
    {
        var waiting = Executing() with
        {
            State = TaskState.Waiting,
            Claim = null,
            Wait = (WaitKind)77,
            WaitDeadline = _now,
        };

        Next(waiting, new TaskEvent.CheckWait()).Should().BeNull();
        Next(waiting, new TaskEvent.MessageSent(JsonElement.Parse("1"))).Should().BeNull();
        Next(waiting with { WaitDeadline = null }, new TaskEvent.MessageSent(JsonElement.Parse("1"))).Should().BeNull();
        Next(waiting, new TaskEvent.Cancelled())!.After.State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public void A_run_is_overdue_after_its_deadline_and_the_grace_and_may_be_retried()
    {
        Next(Executing(), new TaskEvent.CheckOverdue(), at: _now.AddSeconds(310)).Should()
            .BeNull("the grace is not over");

        var aborted = Next(Executing(), new TaskEvent.CheckOverdue(), at: _now.AddSeconds(310).AddTicks(1))!;

        aborted.After.Should().Match<ManagedState>(
            state => state.State == TaskState.Failed && state.ExitCode == TaskExitCode.Aborted && state.Claim == null
                && state.RetryAt != null);
        aborted.After.Error!.Kind.Should().Be(TaskErrorKind.Timeout);
    }

    [Theory]
    [InlineData(TaskState.Idle)]
    [InlineData(TaskState.Queued)]
    [InlineData(TaskState.Suspended)]
    [InlineData(TaskState.Waiting)]
    public void Time_spent_waiting_or_queued_does_not_count_as_execution(TaskState state) =>
        Next(
            Executing() with { State = state, Claim = null },
            new TaskEvent.CheckOverdue(),
            at: _now.AddDays(1)).Should()
            .BeNull();

    [Fact]
    public void A_queued_task_can_be_overdue_if_the_host_asks_for_it()
    {
        var rules = _rules.With(r => r.AbortOverdueQueued, true);

        TaskLifecycle.Next(
            _task,
            Queued(),
            new TaskEvent.CheckOverdue(),
            _now.AddSeconds(311),
            rules)!.After.State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public void A_released_task_counts_no_retry_and_no_interruption()
    {
        var given = Next(Executing(), new TaskEvent.GivenBack())!.After;

        given.Should().Match<ManagedState>(
            state => state.State == TaskState.Suspended && state.Claim == null && state.Retries == 0
                && state.Interruptions == 0);
    }

    [Fact]
    public void A_dead_executor_is_an_interruption_and_too_many_park_the_task()
    {
        var state = Executing();
        for (var i = 1; i < 5; i++)
        {
            state = Next(state, new TaskEvent.Interrupted())!.After;
            state.Should().Match<ManagedState>(
                after => after.State == TaskState.Suspended && after.Interruptions == i && after.Retries == 0);
            state = Next(Next(state, new TaskEvent.QueueDue(false))!.After, new TaskEvent.Claimed("e", _claim))!.After;
        }

        var parked = Next(state, new TaskEvent.Interrupted())!.After;

        parked.Should().Match<ManagedState>(
            after =>
                after.State == TaskState.Failed && after.ExitCode == TaskExitCode.Aborted && after.RetryAt == null);
        parked.Error!.Kind.Should().Be(TaskErrorKind.Interrupted);
    }

    [Theory]
    [InlineData(TaskState.Idle)]
    [InlineData(TaskState.Queued)]
    [InlineData(TaskState.Executing)]
    [InlineData(TaskState.Suspended)]
    [InlineData(TaskState.Waiting)]
    [InlineData(TaskState.Failed)]
    public void A_cancel_ends_every_task_that_has_not_ended(TaskState from)
    {
        var state = Executing() with
        {
            State = from,
            Claim = from == TaskState.Executing ? _claim : null,
            RetryAt = from == TaskState.Failed ? _now : null,
        };

        var cancelled = Next(state, new TaskEvent.Cancelled())!.After;

        cancelled.Should().Match<ManagedState>(after =>
            after.State == TaskState.Failed && after.ExitCode == TaskExitCode.Aborted && after.RetryAt == null
                && after.Claim == null && after.Wait == WaitKind.None);
        cancelled.Error!.Kind.Should().Be(TaskErrorKind.Cancelled);
        Next(cancelled, new TaskEvent.Cancelled()).Should().BeNull("it has ended");
    }

    [Fact]
    public void A_cancelled_periodic_task_continues_with_its_next_occurrence()
    {
        var periodic = _task with { Cron = "0 3 * * *" };
        var running = Next(Executing(), new TaskEvent.Cancelled(), periodic)!.After;
        Next(running, new TaskEvent.NextPeriod("job-2"), periodic)!.After.NextRun.Should().Be(
            new DateTimeOffset(2024, 6, 16, 3, 0, 0, TimeSpan.Zero));

        var waiting = Next(TaskLifecycle.Create(periodic, "job", _now), new TaskEvent.Cancelled(), periodic)!.After;
        Next(waiting, new TaskEvent.NextPeriod("job-2"), periodic)!.After.NextRun.Should().Be(
            new DateTimeOffset(2024, 6, 17, 3, 0, 0, TimeSpan.Zero), "the occurrence that was cancelled is left out");
    }

    [Fact]
    public void A_periodic_task_shows_its_last_outcome_until_it_is_queued_again()
    {
        var periodic = _task with { Cron = "* * * * *" };
        var finished = Next(Executing() with { Stage = 1 }, Report(1, StageOutcome.Completed()), periodic)!.After;

        var next = Next(finished, new TaskEvent.NextPeriod("job-2"), periodic)!;
        next.ArchivesRun.Should().BeTrue();
        next.After.Should().Match<ManagedState>(state =>
            state.State == TaskState.Idle && state.JobId == "job-2" && state.ResultRun == "job"
                && state.ExitCode == TaskExitCode.Success && state.Stage == 0);

        var queued = Next(next.After, new TaskEvent.QueueDue(true), periodic, _now.AddMinutes(1))!.After;
        queued.Should().Match<ManagedState>(
            state => state.State == TaskState.Queued && state.ResultRun == "job-2" && state.Pass == 0
                && state.ExitCode == null);
    }

    [Fact]
    public void A_schedule_that_this_machine_cannot_read_rests_the_task_with_an_error()
    {
        var finished = Next(
            Executing() with { Stage = 1 }, Report(1, StageOutcome.Completed()), _task with { Cron = "@daily" })!.After;

        var resting = Next(
            finished,
            new TaskEvent.NextPeriod("job-2"),
            _task with { Cron = "@daily", CronTimeZone = "Mars/Base" })!.After;

        resting.Should().Match<ManagedState>(state => state.State == TaskState.Idle && state.NextRun == null);
        resting.Error!.Kind.Should().Be(TaskErrorKind.Schedule);
    }

    [Fact]
    public void A_periodic_task_with_retries_left_is_retried_first()
    {
        var failed = Executing() with { State = TaskState.Failed, Claim = null, RetryAt = _now.AddSeconds(1) };

        Next(failed, new TaskEvent.NextPeriod("job-2"), _task with { Cron = "* * * * *" }).Should().BeNull();
    }

    [Theory]
    [InlineData(TaskState.Finished, "new", true)]
    [InlineData(TaskState.Failed, "new", true)]
    [InlineData(TaskState.Idle, "job", true)]
    [InlineData(TaskState.Queued, "job", false)]
    [InlineData(TaskState.Executing, "job", false)]
    [InlineData(TaskState.Suspended, "job", false)]
    [InlineData(TaskState.Waiting, "job", false)]
    public void A_chain_starts_a_task_that_is_not_running(TaskState from, string run, bool starts)
    {
        var next = Next(Executing() with { State = from, Stage = 1, Retries = 2 }, new TaskEvent.Chained("new"));

        (next is not null).Should().Be(starts);
        if (next is not null)
        {
            next.After.Should().Match<ManagedState>(
                state => state.State == TaskState.Idle && state.NextRun == _now && state.JobId == run);
        }

        Next(Executing() with { State = from }, new TaskEvent.Chained("new"), _task with { Enabled = false }).Should()
            .BeNull();
    }

    [Fact]
    public void A_reset_starts_a_task_over_in_any_state()
    {
        var reset = Next(
            Executing() with { Stage = 1, Retries = 2, Interruptions = 3, Pass = 4 },
            new TaskEvent.Reset("new"))!.After;

        reset.Should().Match<ManagedState>(state =>
            state.State == TaskState.Idle && state.Stage == 0 && state.Retries == 0 && state.Interruptions == 0
                && state.Pass == 0
            && state.JobId == "new" && state.ResultRun == "new" && state.NextRun == _now && state.Claim == null);
    }

    [Fact]
    public void Leftover_rows_of_the_current_run_are_not_mixed_with_new_ones()
    {
        var idle = new ManagedState { JobId = "job", ResultRun = "job", NextRun = _now };

        Next(idle, new TaskEvent.QueueDue(hasResults: true))!.After.Pass.Should().Be(1);
        Next(idle, new TaskEvent.QueueDue(hasResults: false))!.After.Pass.Should().Be(0);
    }

    [Fact]
    public void A_repeated_report_is_recognized()
    {
        var report = new ReportId(_claim, 0, ReportKind.Failed);
        var failed = Next(Executing(), Report(0, StageOutcome.Failed(TaskError.Create("handler", "boom"))))!;

        TaskLifecycle.IsRecorded(failed.After, null, report).Should().BeTrue();
        TaskLifecycle.IsRecorded(failed.After, null, report with { Kind = ReportKind.Completed }).Should()
            .BeFalse("its kind differs");
        TaskLifecycle.IsRecorded(failed.After, null, report with { Claim = Guid.NewGuid() }).Should()
            .BeFalse("its claim differs");
        TaskLifecycle.IsRecorded(failed.After, failed.Entry, report with { Kind = ReportKind.Completed }).Should()
            .BeFalse("a failure's row is not a result");
    }

    private static ManagedState Queued() => TaskLifecycle.Create(_task, "job", _now);

    private static ManagedState Executing() =>
        Queued() with { State = TaskState.Executing, ExecutorId = "e", Claim = _claim };

    private static TaskEvent.Reported Report(int stage, StageOutcome outcome) =>
        new(
            new StageReport
            {
                TaskId = "t",
                Claim = _claim,
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
