using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The occurrence for which a late run stands, and the occurrences that never run.</summary>
public sealed class MissedRunsTests
{
    // 12:00:30; the task waits for 12:01.
    private static readonly DateTimeOffset _start = TaskTestHost.Start;
    private static readonly TaskDefinition _task = new() { Id = "t", Cron = "* * * * *", Commands = [new("do")] };

    [Theory]
    [InlineData(MissedRuns.RunOnce, 30, 0)]
    [InlineData(MissedRuns.RunLatest, 570, 9)]
    public void One_late_run_stands_for_the_first_or_the_latest(MissedRuns missed, int occurrence, long skipped)
    {
        var due = Due(_task, missed, 600, 10);

        due.State.Should().Be(TaskState.Queued);
        due.Occurrence.Should().Be(At(occurrence));
        due.Skipped.Should().Be(skipped);
    }

    [Fact]
    public void With_skip_no_run_is_late_and_the_task_waits_for_the_next_occurrence()
    {
        var due = Due(_task, MissedRuns.Skip, 600, 10);

        due.State.Should().Be(TaskState.Idle);
        due.NextRun.Should().Be(At(630));
        due.Skipped.Should().Be(10);
        due.Occurrence.Should().Be(At(-30), "the last one that ran");
    }

    [Theory]
    [InlineData(10, TaskState.Idle)]
    [InlineData(29, TaskState.Idle)]
    [InlineData(30, TaskState.Queued)]
    [InlineData(60, TaskState.Queued)]
    public void With_skip_the_latest_occurrence_runs_if_it_is_late_by_at_most_the_tolerance(
        int tolerance, TaskState expected)
    {
        var due = Due(_task, MissedRuns.Skip, 600, tolerance);

        due.State.Should().Be(expected);
        due.Skipped.Should().Be(expected == TaskState.Queued ? 9 : 10);
    }

    [Fact]
    public void A_task_has_its_own_rule()
    {
        Due(_task with { MissedRuns = MissedRuns.Skip }, MissedRuns.RunOnce, 600, 10).State.Should().Be(TaskState.Idle);
        Due(_task with { MissedRuns = MissedRuns.RunOnce }, MissedRuns.Skip, 600, 10).Occurrence.Should().Be(At(30));
    }

    [Fact]
    public void A_start_by_a_reset_or_a_chain_is_not_an_occurrence_and_is_not_skipped()
    {
        var reset = Waiting() with { NextRun = At(15) };

        Due(_task, MissedRuns.Skip, 600, 10, reset).State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public void A_schedule_that_cannot_be_read_does_not_drop_a_run_that_is_due() =>
        Due(_task with { CronTimeZone = "Mars/Base" }, MissedRuns.Skip, 600, 10).State.Should().Be(TaskState.Queued);

    [Fact]
    public void A_schedule_without_another_occurrence_lets_the_task_rest()
    {
        var last = _task with { Cron = "0 0 29 2 *" };
        var end = new DateTimeOffset(9999, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var waiting = Waiting() with { NextRun = new DateTimeOffset(9996, 2, 29, 0, 0, 0, TimeSpan.Zero) };

        var due = TaskLifecycle.Next(last, waiting, new TaskEvent.QueueDue(false), end, Rules(MissedRuns.Skip, 10))!;

        due.After.Should().Match<ManagedState>(state => state.State == TaskState.Idle && state.NextRun == null);
        due.After.Skipped.Should().Be(1);
    }

    [Fact]
    public void Skipped_occurrences_are_not_counted_again_when_a_later_run_has_ended()
    {
        var skipped = Due(_task, MissedRuns.Skip, 600, 10);
        var ran = Due(_task, MissedRuns.Skip, 630, 10, skipped) with { State = TaskState.Finished };

        var next = TaskLifecycle.Next(
            _task, ran, new TaskEvent.NextPeriod("j2"), At(640), Rules(MissedRuns.Skip, 10))!.After;

        next.Should().Match<ManagedState>(state => state.Skipped == 10 && state.NextRun == At(690));
    }

    private static ManagedState Due(
        TaskDefinition task, MissedRuns missed, int now, int tolerance, ManagedState? state = null) =>
        TaskLifecycle.Next(
            task, state ?? Waiting(), new TaskEvent.QueueDue(false), At(now), Rules(missed, tolerance))!.After;

    private static LifecycleRules Rules(MissedRuns missed, int tolerance) =>
        new() { MissedRuns = missed, MissedRunTolerance = TimeSpan.FromSeconds(tolerance) };

    private static ManagedState Waiting() => new()
    {
        State = TaskState.Idle,
        JobId = "j1",
        ResultRun = "j1",
        Occurrence = At(-30),
        NextRun = At(30),
        StatusChange = _start,
    };

    private static DateTimeOffset At(int seconds) => _start.AddSeconds(seconds);
}
