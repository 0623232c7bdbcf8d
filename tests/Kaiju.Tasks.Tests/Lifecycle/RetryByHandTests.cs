using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The pure rules about retries by hand.</summary>
public sealed class RetryByHandTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly DateTimeOffset _later = _now.AddSeconds(20);
    private static readonly TaskError _boom = TaskError.Create("boom", "It failed.");
    private static readonly LifecycleRules _rules = new() { RetryDelay = RetryDelay.Constant(TimeSpan.FromSeconds(5)) };

    private static readonly TaskDefinition _task = new()
    {
        Id = "t",
        AppName = "app",
        MaxExecTimeout = TimeSpan.FromSeconds(300),
        MaxRetries = 2,
        Commands = [new("do"), new("do.2"), new("do.3")],
    };

    private static readonly TaskDefinition _periodic = _task with { Cron = "* * * * *" };

    [Fact]
    public void A_run_that_failed_for_good_is_queued_at_its_stage_in_its_pass()
    {
        var after = Retry(_task, Failed())!.After;

        (after.State, after.Stage, after.Method).Should().Be((TaskState.Queued, 1, "do.2"));
        (after.JobId, after.Pass, after.ResultRun, after.ResultPass).Should().Be(("job", 3, "job", 3));
        (after.Error, after.ExitCode, after.RetryAt).Should().Be((null, null, null));
        (after.QueuedAt, after.StatusChange, after.ExecDeadline).Should().Be((_later, _later, _later.AddSeconds(300)));
    }

    [Fact]
    public void All_budgets_are_renewed_and_the_attempt_counts_on()
    {
        var failed = Failed() with { Retries = 2, FreeRetries = 1, StageRetries = 2, Interruptions = 4, PutBacks = 2 };
        var after = Retry(_task, failed)!.After;

        (after.Retries, after.StageRetries, after.Interruptions, after.PutBacks).Should().Be((0, 0, 0, 0));
        after.Attempt.Should().Be(failed.Attempt + 1);
    }

    [Fact]
    public void A_retry_to_come_is_made_now_and_uses_the_budget()
    {
        var failed = Failed() with { Retries = 1, RetryAt = _later.AddHours(1), Interruptions = 2 };
        var after = Retry(_task with { RestartPolicy = RestartPolicy.Current }, failed)!.After;

        (after.State, after.Retries, after.Stage, after.Interruptions).Should().Be((TaskState.Queued, 2, 1, 2));
        Retry(_task with { RestartPolicy = RestartPolicy.First }, failed)!.After.Should().Match<ManagedState>(
            state => state.Stage == 0 && state.Pass == 4 && state.ResultPass == 4);
    }

    [Fact]
    public void A_retry_that_would_be_too_late_for_a_manager_is_made_anew()
    {
        var rules = new LifecycleRules { SuspendedLifetime = TimeSpan.FromSeconds(10) };
        var failed = Failed() with { RetryAt = _now };

        var after = TaskLifecycle.Next(_task, failed, new TaskEvent.Retried(), _later, rules)!.After;

        (after.State, after.Retries, after.Attempt).Should().Be((TaskState.Queued, 0, failed.Attempt + 1));
    }

    [Theory]
    [InlineData(TaskState.Idle, RetryResult.NotFailed)]
    [InlineData(TaskState.Queued, RetryResult.UnderWay)]
    [InlineData(TaskState.Executing, RetryResult.UnderWay)]
    [InlineData(TaskState.Suspended, RetryResult.UnderWay)]
    [InlineData(TaskState.Waiting, RetryResult.UnderWay)]
    [InlineData(TaskState.Finished, RetryResult.NotFailed)]
    public void Only_a_task_that_has_failed_is_retried(TaskState state, RetryResult reason)
    {
        Refuses(_task, Failed() with { State = state }, null, reason);
        TaskLifecycle.JudgeRetry(null, null, null).Should().Be(RetryResult.NotFound);
    }

    [Fact]
    public void A_disabled_task_and_one_without_the_stage_are_refused()
    {
        Refuses(_task with { Enabled = false }, Failed(), null, RetryResult.Disabled);
        Refuses(_task with { Commands = [new("do")] }, Failed(), null, RetryResult.NoSuchStage);
    }

    [Fact]
    public void The_run_that_an_idle_periodic_task_shows_is_current_again()
    {
        var idle = Waiting();
        var transition = Retry(_periodic, idle, Shown(2))!;

        transition.RestoresRun.Should().BeTrue();
        var after = transition.After;
        (after.State, after.Stage, after.Method).Should().Be((TaskState.Queued, 2, "do.3"));
        (after.JobId, after.Pass, after.ResultRun, after.ResultPass).Should().Be(("job", 3, "job", 3));
        (after.Retries, after.Attempt).Should().Be((0, 6), "the run had five attempts");
        (after.Occurrence, after.NextRun).Should().Be((idle.Occurrence, idle.NextRun));
    }

    [Fact]
    public void A_run_that_is_not_kept_or_did_not_fail_is_refused()
    {
        Refuses(_periodic, Waiting(), null, RetryResult.NotKept);
        Refuses(_periodic, Waiting(), Shown(3, TaskState.Finished), RetryResult.NotFailed);
        Refuses(
            _periodic, Waiting() with { ExitCode = TaskExitCode.Success, Error = null }, null, RetryResult.NotFailed);
        Refuses(_periodic with { Enabled = false }, Waiting(), Shown(1), RetryResult.Disabled);
    }

    [Fact]
    public void A_start_that_is_not_an_occurrence_does_not_wait_for_a_retried_run()
    {
        Refuses(_task, Waiting(), Shown(1), RetryResult.UnderWay);
        Refuses(_periodic, Waiting() with { NextRun = _now.AddMinutes(-5) }, Shown(1), RetryResult.UnderWay);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_waiting_occurrence_is_the_next_one_when_the_retried_run_ends(bool isCancelled)
    {
        var queued = Retry(_periodic, Waiting(), Shown(1))!.After;
        var ended = isCancelled
            ? Next(_periodic, queued, new TaskEvent.Cancelled(), _later.AddMinutes(5))
            : Finish(queued with { Stage = 2 }, _later.AddMinutes(5));
        ended.HasEnded.Should().BeTrue();
        ended.NextRun.Should().Be(Waiting().NextRun);

        var next = Next(_periodic, ended, new TaskEvent.NextPeriod("next"), _later.AddMinutes(5));
        (next.State, next.JobId, next.NextRun, next.Skipped).Should().Be(
            (TaskState.Idle, "next", Waiting().NextRun, 7));
        Next(_periodic, next, new TaskEvent.QueueDue(hasResults: false), _later.AddMinutes(5)).Occurrence
            .Should().Be(Waiting().NextRun);
    }

    [Fact]
    public void A_run_that_was_not_retried_leaves_no_waiting_occurrence()
    {
        var queued = Next(_periodic, Waiting(), new TaskEvent.QueueDue(hasResults: false), _later.AddMinutes(1));

        Finish(queued with { Stage = 2 }, _later.AddMinutes(2)).NextRun.Should().BeNull();
    }

    [Fact]
    public void A_new_schedule_drops_the_waiting_occurrence()
    {
        var queued = Retry(_periodic, Waiting(), Shown(1))!.After;

        TaskUpdate.Apply(_periodic, _periodic with { Cron = "0 * * * *" }, queued, _later).NextRun.Should().BeNull();
        TaskUpdate.Apply(_periodic, _periodic with { Priority = 1 }, queued, _later).NextRun
            .Should().Be(queued.NextRun);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(0, 0)]
    public void A_retry_with_changes_begins_a_new_pass(int? from, int stage)
    {
        var change = new RetryChange { FromStage = from, Params = JsonElement.Parse("[1]") };
        var failed = Failed() with { Retries = 1, RetryAt = _later.AddHours(1) };
        var retried = new TaskEvent.Retried(null, change, results: 1);
        var transition = TaskLifecycle.Next(_task, failed, retried, _later, _rules)!;

        transition.MovedResults.Should().Be(stage);
        var after = transition.After;
        (after.State, after.Stage, after.Pass, after.ResultPass).Should().Be((TaskState.Queued, stage, 4, 4));
        (after.Retries, after.Attempt, after.JobId).Should().Be((0, failed.Attempt + 1, "job"));
        after.Changes!.ToJson().Should().Be($$$"""{"params":{"{{{stage}}}":[1]}}""");
        TaskLifecycle.Next(_task, after, new TaskEvent.Reset("next"), _later, _rules)!.After.Changes.Should().BeNull();
    }

    [Fact]
    public void Results_of_an_import_after_the_stage_stay_in_the_pass_before()
    {
        var transition = TaskLifecycle.Next(_task, Failed(), new TaskEvent.Retried(results: 2), _later, _rules)!;

        (transition.After.Stage, transition.After.Pass, transition.MovedResults).Should().Be((1, 4, 1));
        TaskLifecycle.Next(_task, Failed(), new TaskEvent.Retried(results: 1), _later, _rules)!.After.Pass
            .Should().Be(3);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    public void A_stage_that_the_run_has_not_reached_is_refused(int from) =>
        TaskLifecycle.JudgeRetry(_task, Failed(), null, new RetryChange { FromStage = from })
            .Should().Be(RetryResult.NoSuchStage);

    [Fact]
    public void Changes_replace_params_and_kws_of_the_definition()
    {
        var changes = RunChanges.FromJson("""{"kws":{"k":1},"params":{"1":[2],"7":[3]}}""");

        var changed = changes.Apply(_task);

        changed.KwsJson.GetRawText().Should().Be("""{"k":1}""");
        changed.Commands[1].ParamsJson.GetRawText().Should().Be("[2]");
        changed.Commands[0].Should().BeSameAs(_task.Commands[0]);
        FluentActions.Invoking(() => RunChanges.FromJson("[]")).Should().Throw<JsonException>();
    }

    private static void Refuses(TaskDefinition task, ManagedState state, TaskRun? shown, RetryResult reason)
    {
        TaskLifecycle.JudgeRetry(task, state, shown).Should().Be(reason);
        Retry(task, state, shown).Should().BeNull();
    }

    private static Transition? Retry(TaskDefinition task, ManagedState state, TaskRun? shown = null) =>
        TaskLifecycle.Next(task, state, new TaskEvent.Retried(shown), _later, _rules);

    private static ManagedState Next(TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset at) =>
        TaskLifecycle.Next(task, state, happened, at, _rules)!.After;

    private static ManagedState Finish(ManagedState queued, DateTimeOffset at)
    {
        var claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301");
        var claimed = Next(_periodic, queued, new TaskEvent.Claimed("e", claim), at);
        var report = new StageReport
        {
            TaskId = "t",
            Claim = claim,
            JobId = claimed.JobId,
            Attempt = claimed.Attempt,
            Stage = claimed.Stage,
            Outcome = StageOutcome.Completed(JsonElement.Parse("1")),
        };
        return Next(_periodic, claimed, new TaskEvent.Reported(report), at);
    }

    private static ManagedState Failed() => new()
    {
        State = TaskState.Failed,
        JobId = "job",
        ResultRun = "job",
        Pass = 3,
        ResultPass = 3,
        Stage = 1,
        QueuedAt = _now,
        StatusChange = _now,
        ExitCode = TaskExitCode.ExecutionError,
        Error = _boom,
    };

    /// <summary>A periodic task that waits for its next occurrence and shows a run that failed.</summary>
    private static ManagedState Waiting() => Failed() with
    {
        State = TaskState.Idle,
        JobId = "waiting",
        Pass = 0,
        Stage = 0,
        Skipped = 7,
        Occurrence = _now.AddSeconds(-30),
        NextRun = _now.AddSeconds(30),
    };

    private static TaskRun Shown(int results, TaskState state = TaskState.Failed) => new()
    {
        TaskId = "t",
        JobId = "job",
        State = state,
        Error = state == TaskState.Failed ? _boom : null,
        Result = [.. Enumerable.Repeat(JsonElement.Parse("1"), results)],
        Retries = 4,
        Occurrence = _now.AddSeconds(-30),
        QueuedAt = _now,
        Ended = _now,
    };
}
