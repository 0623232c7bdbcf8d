using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>
/// The greatest occurrence so far decides the next one; an occurrence that is not later starts no run.
/// </summary>
public sealed class PeriodicScheduleTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly LifecycleRules _rules = new();
    private static readonly TaskDefinition _task = new() { Id = "t", Cron = "* * * * *", Commands = [new("do")] };

    [Theory]
    [InlineData(0)]
    [InlineData(-3000)]
    public void An_occurrence_that_is_not_later_is_an_error_of_the_schedule_and_not_a_run(int seconds)
    {
        var state = PeriodicSchedule.Plan(_task, Idle(), _now, _ => after => after.AddSeconds(seconds))!;

        state.Should().Match<ManagedState>(rests => rests.State == TaskState.Idle && rests.NextRun == null);
        state.Error!.Kind.Should().Be(TaskErrorKind.Schedule);
        state.Error.Message.Should().StartWith("cron \"* * * * *\" in UTC gives 2024-06-15 1").And.EndWith(
            "as the occurrence after 2024-06-15 12:00:30Z; it must be later.");
    }

    [Fact]
    public void The_next_occurrence_is_later_than_now_and_than_the_last_occurrence()
    {
        Asked(Idle()).Should().Be(_now);
        Asked(Idle() with { Occurrence = _now.AddMinutes(-3) }).Should().Be(_now);
        Asked(Idle() with { Occurrence = _now.AddMinutes(3) }).Should().Be(_now.AddMinutes(3));
        Asked(Idle() with { QueuedAt = _now.AddMinutes(3) }).Should().Be(
            _now.AddMinutes(3), "a run without an occurrence stands for when it was queued");
        Asked(Idle() with { QueuedAt = _now.AddMinutes(3), Occurrence = _now }).Should().Be(_now);

        static DateTimeOffset Asked(ManagedState state)
        {
            var asked = default(DateTimeOffset);
            PeriodicSchedule.Plan(_task, state, _now, _ => after =>
            {
                asked = after;
                return null;
            }).Should().BeNull("there is none left");
            return asked;
        }
    }

    [Fact]
    public void A_schedule_that_cannot_be_read_lets_a_task_rest_at_its_creation_and_at_an_update()
    {
        var onMars = _task with { CronTimeZone = "Mars/Base" };

        TaskLifecycle.Create(onMars, "job", _now).Should().Match<ManagedState>(state => Rests(state));
        TaskUpdate.Apply(_task, onMars, Idle(), _now).Should().Match<ManagedState>(state => Rests(state));
        TaskUpdate.Apply(_task with { RunAt = _now.AddDays(1) }, onMars, Idle(), _now).Should()
            .Match<ManagedState>(state => Rests(state));
    }

    [Fact]
    public void A_new_schedule_clears_the_error_of_the_one_before()
    {
        var onMars = _task with { CronTimeZone = "Mars/Base" };
        var resting = TaskLifecycle.Create(onMars, "job", _now);

        TaskUpdate.Apply(onMars, _task, resting, _now).Should().Match<ManagedState>(
            state => state.NextRun == Minute(1) && state.Error == null);
        TaskUpdate.Apply(onMars, onMars with { Cron = null }, resting, _now).Should().Match<ManagedState>(
            state => state.NextRun == null && state.Error == null);
    }

    [Fact]
    public void A_run_that_starts_before_the_greatest_occurrence_does_not_lower_it()
    {
        var reset = Next(Finished() with { Occurrence = Minute(5) }, new TaskEvent.Reset("j2"));
        reset.NextRun.Should().Be(_now);

        var queued = Next(reset, new TaskEvent.QueueDue(false));
        queued.Occurrence.Should().Be(Minute(5));

        var next = Next(queued with { State = TaskState.Finished }, new TaskEvent.NextPeriod("j3"));
        next.NextRun.Should().Be(Minute(6));
    }

    [Fact]
    public void A_run_that_another_task_starts_does_not_lower_the_greatest_occurrence()
    {
        var started = Next(Idle() with { Occurrence = Minute(5), NextRun = Minute(6) }, new TaskEvent.Chained("j2"));

        Next(started, new TaskEvent.QueueDue(false)).Occurrence.Should().Be(Minute(5));
    }

    [Fact]
    public void An_early_run_keeps_the_occurrences_that_are_still_to_come()
    {
        var reset = Next(Idle() with { NextRun = Minute(5) }, new TaskEvent.Reset("j2"));
        var queued = Next(reset, new TaskEvent.QueueDue(false));
        queued.Occurrence.Should().Be(_now);

        var hourly = _task with { Cron = "5 * * * *" };
        TaskLifecycle.Next(
            hourly,
            queued with { State = TaskState.Finished },
            new TaskEvent.NextPeriod("j3"),
            _now,
            _rules)!.After.NextRun
            .Should().Be(Minute(5));
    }

    [Fact]
    public void A_cancel_of_a_run_that_was_reset_does_not_lower_the_greatest_occurrence()
    {
        var reset = Next(Finished() with { Occurrence = Minute(5) }, new TaskEvent.Reset("j2"));

        Next(reset, new TaskEvent.Cancelled()).Occurrence.Should().Be(Minute(5));
    }

    [Fact]
    public void Occurrences_up_to_the_greatest_are_not_counted_again_when_the_latest_missed_run_counts()
    {
        var reset = Next(Finished() with { Occurrence = Minute(5) }, new TaskEvent.Reset("j2"));

        var queued = TaskLifecycle.Next(
            _task,
            reset,
            new TaskEvent.QueueDue(false),
            Minute(7),
            _rules.With(r => r.MissedRuns, MissedRuns.RunLatest))!.After;

        queued.Should().Match<ManagedState>(state => state.Occurrence == Minute(7) && state.Skipped == 2);
    }

    [Theory]
    [InlineData("*/1 * * * *", null, 6)]
    [InlineData("* * * * *", "Europe/Riga", 6)]
    [InlineData("*/10 * * * *", null, 10)]
    [InlineData("5 * * * *", null, 65)]
    public void A_changed_schedule_counts_after_the_greatest_occurrence(string cron, string? zone, int minute)
    {
        var idle = Idle() with { Occurrence = Minute(5), NextRun = Minute(6) };

        TaskUpdate.Apply(_task, _task with { Cron = cron, CronTimeZone = zone }, idle, _now).NextRun.Should()
            .Be(Minute(minute));
        TaskUpdate.Apply(
            _task with { RunAt = Minute(3) }, _task with { Cron = cron, CronTimeZone = zone }, idle, _now).NextRun
            .Should().Be(Minute(minute), "a start that was taken away leaves the schedule");
    }

    [Fact]
    public void A_run_that_was_queued_at_its_creation_is_not_repeated_when_the_clock_is_put_back()
    {
        var created = TaskLifecycle.Create(_task with { RunAt = Minute(1) }, "job", Minute(1));
        created.State.Should().Be(TaskState.Queued);

        Next(created with { State = TaskState.Finished }, new TaskEvent.NextPeriod("j2")).NextRun.Should()
            .Be(Minute(2));
    }

    private static bool Rests(ManagedState state) =>
        state.State == TaskState.Idle && state.NextRun == null && state.Error != null
            && state.Error.Kind == TaskErrorKind.Schedule;

    private static DateTimeOffset Minute(int minute) =>
        new DateTimeOffset(2024, 6, 15, 12, 0, 0, TimeSpan.Zero).AddMinutes(minute);

    private static ManagedState Idle() => new() { JobId = "job", ResultRun = "job" };

    private static ManagedState Finished() => Idle() with { State = TaskState.Finished };

    private static ManagedState Next(ManagedState state, TaskEvent happened) =>
        TaskLifecycle.Next(_task, state, happened, _now, _rules)!.After;
}
