using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The pure rules about a stage that is snoozed.</summary>
public sealed class SnoozeTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly DateTimeOffset _later = _now.AddSeconds(20);
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);
    private static readonly Guid _claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301");

    private static readonly TaskDefinition _task = new()
    {
        Id = "t",
        AppName = "app",
        MaxExecTimeout = TimeSpan.FromSeconds(300),
        MaxRetries = 2,
        Notify = true,
        Commands = [new("do"), new("do.2"), new("do.3")],
    };

    [Fact]
    public void A_snoozed_task_waits_without_a_claim()
    {
        var snoozed = Snooze(Executing())!.After;

        (snoozed.State, snoozed.Wait, snoozed.WaitDeadline).Should().Be(
            (TaskState.Waiting, WaitKind.Snooze, _later + _minute));
        (snoozed.Claim, snoozed.ExecutorId, snoozed.Stage).Should().Be((null, null, 1));
    }

    [Fact]
    public void A_snooze_is_counted_and_is_neither_an_attempt_nor_an_entry_nor_a_notification()
    {
        var snooze = Snooze(Executing() with { Retries = 1, StageRetries = 1, Interruptions = 1, Snoozes = 4 })!;

        (snooze.After.Snoozes, snooze.After.Retries, snooze.After.StageRetries, snooze.After.Interruptions)
            .Should().Be((5, 1, 1, 1));
        (snooze.Entry, snooze.Notify).Should().Be((null, false));
    }

    [Fact]
    public void A_timer_is_not_counted_as_a_snooze() =>
        Report(Executing(), StageOutcome.WaitFor(_minute))!.After.Snoozes.Should().Be(0);

    [Fact]
    public void After_a_snooze_the_same_stage_is_queued_again()
    {
        var snoozed = Snooze(Executing())!.After;
        Next(snoozed, new TaskEvent.CheckWait(), _later + _minute - TimeSpan.FromTicks(1)).Should().BeNull();

        var woken = Next(snoozed, new TaskEvent.CheckWait(), _later + _minute)!;
        (woken.After.State, woken.After.Stage, woken.After.Wait).Should().Be((TaskState.Suspended, 1, WaitKind.None));
        woken.Entry.Should().BeNull("the stage has no result yet");
        var queued = Next(woken.After, new TaskEvent.QueueDue(hasResults: true), _later + _minute)!.After;
        (queued.State, queued.Method, queued.QueuedAt).Should().Be((TaskState.Queued, "do.2", _later + _minute));
    }

    [Fact]
    public void A_snooze_at_the_last_stage_does_not_finish_the_task()
    {
        var snoozed = Snooze(Executing() with { Stage = 2 }, 2)!.After;

        Next(snoozed, new TaskEvent.CheckWait(), _later + _minute)!.After.State.Should().Be(TaskState.Suspended);
    }

    [Fact]
    public void A_snoozed_task_takes_no_message() =>
        Next(Snooze(Executing())!.After, new TaskEvent.MessageSent(Json.Of("1")), _later).Should().BeNull();

    [Fact]
    public void A_snoozed_task_can_be_cancelled() =>
        Next(Snooze(Executing())!.After, new TaskEvent.Cancelled(), _later)!.After.Error!.Kind
            .Should().Be(TaskErrorKind.Cancelled);

    [Fact]
    public void A_snooze_that_is_delivered_again_is_recognized()
    {
        var snoozed = Snooze(Executing())!.After;

        Snooze(snoozed).Should().BeNull("the task has no claim any more");
        TaskLifecycle.IsRecorded(snoozed, null, new ReportId(_claim, 1, ReportKind.Waiting)).Should().BeTrue();
    }

    [Fact]
    public void The_next_run_counts_its_snoozes_anew() =>
        Next(Snooze(Executing())!.After, new TaskEvent.Reset("next"), _later)!.After.Snoozes.Should().Be(0);

    private static ManagedState Executing() => TaskLifecycle.Create(_task, "job", _now) with
    {
        State = TaskState.Executing,
        Stage = 1,
        ExecutorId = "executor",
        Claim = _claim,
        ExecDeadline = _now.AddSeconds(300),
    };

    private static Transition? Snooze(ManagedState state, int stage = 1) =>
        Report(state, StageOutcome.Snooze(_minute), stage);

    private static Transition? Report(ManagedState state, StageOutcome outcome, int stage = 1) => Next(
        state,
        new TaskEvent.Reported(new StageReport
        {
            TaskId = "t",
            JobId = "job",
            Attempt = 1,
            Claim = _claim,
            Stage = stage,
            Outcome = outcome,
        }),
        _later);

    private static Transition? Next(ManagedState state, TaskEvent happened, DateTimeOffset now) =>
        TaskLifecycle.Next(_task, state, happened, now, new LifecycleRules());
}
