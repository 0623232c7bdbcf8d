using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The budgets of stages, final failures and chosen delays, one event at a time.</summary>
public sealed class RetryBudgetTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly Guid _claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301");
    private static readonly TaskError _error = TaskError.Create(TaskErrorKind.Handler, "boom");
    private static readonly LifecycleRules _rules = new()
    {
        RetryDelay = RetryDelay.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), jitter: 0),
    };

    private static readonly TaskDefinition _task = new()
    {
        Id = "t",
        AppName = "app",
        MaxExecTimeout = TimeSpan.FromSeconds(300),
        MaxRetries = 2,
        RetryDelay = TimeSpan.FromSeconds(30),
        Commands = [new("do"), new("call") { MaxRetries = 2, RetryDelay = TimeSpan.FromSeconds(5) }, new("do")],
    };

    [Fact]
    public void The_retries_of_a_stage_are_used_up_before_those_of_the_task()
    {
        var state = At(stage: 1);
        var story = new List<(int Attempt, int Retries, int StageRetries, double? Delay)>();
        do
        {
            state = Fail(state);
            story.Add((state.Attempt, state.Retries, state.StageRetries, (state.RetryAt - _now)?.TotalSeconds));
            state = state.RetryAt is null ? state : Claim(Retry(state));
        }
        while (!state.HasEnded);

        story.Should().Equal((1, 0, 0, 5), (2, 0, 1, 5), (3, 0, 2, 30), (4, 1, 3, 30), (5, 2, 4, null));
    }

    [Theory]
    [InlineData(RestartPolicy.Current)]
    [InlineData(RestartPolicy.First)]
    public void A_retry_of_the_stage_begins_at_the_stage_in_its_pass_under_any_policy(RestartPolicy policy)
    {
        var task = _task with { RestartPolicy = policy };

        var retried = Retry(Fail(At(stage: 1), task), task);

        (retried.State, retried.Stage, retried.Pass, retried.ResultPass, retried.StageRetries, retried.Method)
            .Should().Be((TaskState.Queued, 1, 0, 0, 1, "call"));
    }

    [Fact]
    public void A_retry_of_the_task_from_the_first_stage_renews_the_budgets_of_stages()
    {
        var task = _task with { RestartPolicy = RestartPolicy.First };

        var first = Retry(Fail(At(stage: 1) with { StageRetries = 2, FreeRetries = 2 }, task), task);

        (first.Stage, first.Pass, first.StageRetries, first.Retries, first.Attempt).Should().Be((0, 1, 0, 1, 4));
        var again = Fail(Claim(first) with { Stage = 1 }, task);
        again.RetryAt.Should().Be(_now.AddSeconds(5), "the stage has retries of its own again");
    }

    [Fact]
    public void The_next_stage_has_a_budget_of_its_own()
    {
        var next = Next(At(stage: 1) with { StageRetries = 2, FreeRetries = 2 }, Report(1, StageOutcome.Completed()))!
            .After;

        (next.Stage, next.StageRetries, next.FreeRetries, next.Attempt).Should().Be((2, 0, 2, 3));
    }

    [Fact]
    public void A_finished_run_shows_no_retries_of_its_last_stage()
    {
        var finished = Next(At(stage: 2) with { StageRetries = 1, Retries = 1 }, Report(2, StageOutcome.Completed()))!
            .After;

        (finished.State, finished.StageRetries, finished.Retries).Should().Be((TaskState.Finished, 0, 1));
    }

    [Fact]
    public void A_new_run_has_all_retries_again()
    {
        var failed = Fail(At(stage: 1) with { StageRetries = 4, FreeRetries = 2, Retries = 2 });
        failed.HasEnded.Should().BeTrue();

        var fresh = Next(failed, new TaskEvent.Reset("next"))!.After;

        (fresh.StageRetries, fresh.FreeRetries, fresh.Retries, fresh.Attempt).Should().Be((0, 0, 0, 1));
    }

    [Fact]
    public void The_delay_of_a_stages_retry_is_the_commands_else_the_tasks_else_the_hosts()
    {
        var withoutOwn = WithCommand(command => command with { RetryDelay = null });

        Fail(At(stage: 1)).RetryAt.Should().Be(_now.AddSeconds(5));
        Fail(At(stage: 1), withoutOwn).RetryAt.Should().Be(_now.AddSeconds(30));
        Fail(At(stage: 1), withoutOwn with { RetryDelay = null }).RetryAt.Should().Be(_now.AddSeconds(1));
    }

    [Fact]
    public void The_hosts_delay_grows_with_the_retries_of_the_stage()
    {
        var task = WithCommand(command => command with { RetryDelay = null }) with { RetryDelay = null };

        Fail(At(stage: 1) with { Retries = 1, FreeRetries = 3, StageRetries = 1 }, task).RetryAt
            .Should().Be(_now.AddSeconds(2), "it is the second retry of this stage, and the sixth attempt at the run");
        Fail(At(stage: 1) with { Retries = 1, FreeRetries = 3, StageRetries = 2 }, task).RetryAt
            .Should().Be(_now.AddSeconds(16), "the task pays, so the attempt of the run counts");
    }

    [Fact]
    public void A_command_with_a_delay_alone_delays_the_retries_of_the_task_after_its_failure()
    {
        var task = WithCommand(command => command with { MaxRetries = null });

        var failed = Fail(At(stage: 1), task);

        failed.RetryAt.Should().Be(_now.AddSeconds(5));
        (Retry(failed, task).Retries, Retry(failed, task).FreeRetries).Should().Be((1, 0));
        Fail(At(stage: 0), task).RetryAt.Should().Be(_now.AddSeconds(30));
    }

    [Fact]
    public void Which_budget_pays_is_decided_when_the_retry_is_due()
    {
        var failed = Fail(At(stage: 1));

        var retried = Retry(failed, WithCommand(command => command with { MaxRetries = 0 }));

        (retried.Retries, retried.FreeRetries).Should().Be((1, 0), "the stage has no budget any more");
    }

    [Fact]
    public void A_run_that_misses_its_deadline_uses_the_budget_of_its_stage()
    {
        var task = _task with { MaxRetries = 0 };
        var late = _now.AddSeconds(300) + _rules.AbortGrace + TimeSpan.FromTicks(1);

        var aborted = Next(At(stage: 1), new TaskEvent.CheckOverdue(), task, late)!.After;

        (aborted.State, aborted.RetryAt).Should().Be((TaskState.Failed, late.AddSeconds(5)));
        Next(At(stage: 0), new TaskEvent.CheckOverdue(), task, late)!.After.RetryAt.Should().BeNull();
    }

    [Fact]
    public void A_command_that_no_executor_knows_uses_the_budget_of_its_stage()
    {
        var state = At(stage: 1) with { PutBacks = TaskLifecycle.MostPutBacks - 1, Method = "other" };

        var failed = Next(state, Report(1, StageOutcome.PutBack("third")), _task with { MaxRetries = 0 })!.After;

        failed.Error!.Kind.Should().Be(TaskErrorKind.UnknownCommand);
        failed.RetryAt.Should().Be(_now.AddSeconds(5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_final_failure_is_not_retried_whatever_is_left(int stage)
    {
        var final = StageOutcome.Failed(_error, isFinal: true, retryAfter: TimeSpan.FromSeconds(1));

        var failed = Next(At(stage), Report(stage, final), _task with { Notify = true })!;

        failed.After.HasEnded.Should().BeTrue();
        failed.After.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        (failed.Notify, failed.Entry!.Error).Should().Be((true, _error));
        Next(failed.After, new TaskEvent.CheckRetry(), at: _now.AddDays(1)).Should().BeNull();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 77)]
    [InlineData(1, 77)]
    public void The_delay_of_a_report_replaces_the_declared_one(int stage, int seconds)
    {
        var delay = TimeSpan.FromSeconds(seconds);

        Fail(At(stage), retryAfter: delay).RetryAt.Should().Be(_now + delay);
    }

    [Fact]
    public void The_delay_of_a_report_adds_no_retry() =>
        Fail(At(stage: 0) with { Retries = 2 }, retryAfter: TimeSpan.Zero).HasEnded.Should().BeTrue();

    [Fact]
    public void A_report_that_is_delivered_again_is_recognised_whatever_it_says()
    {
        var report = Report(1, StageOutcome.Failed(_error, retryAfter: TimeSpan.FromHours(1)));
        var failed = Next(At(stage: 1), report)!.After;

        Next(failed, report, at: _now.AddSeconds(9)).Should().BeNull();
        TaskLifecycle.IsRecorded(failed, null, report.Report.Id).Should().BeTrue();
        failed.RetryAt.Should().Be(_now.AddHours(1));
    }

    [Fact]
    public void Every_failure_of_a_run_has_a_key_of_its_own()
    {
        var task = _task with { RestartPolicy = RestartPolicy.First };
        var keys = new List<(int Pass, int Stage, int Attempt)>();
        var state = At(stage: 1);
        do
        {
            var failed = Next(state, Report(state.Stage, StageOutcome.Failed(_error)), task)!;
            keys.Add((failed.Entry!.Pass, failed.Entry.Stage, failed.Entry.Attempt));
            state = failed.After.HasEnded ? failed.After : Claim(Retry(failed.After, task)) with { Stage = 1 };
        }
        while (!state.HasEnded);

        keys.Should().OnlyHaveUniqueItems().And.HaveCount(9, "each of three passes has two retries of the stage");
        keys.Select(key => key.Attempt).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
    }

    [Fact]
    public void A_reports_delay_may_not_be_negative_or_longer_than_any_host_allows()
    {
        foreach (var delay in (TimeSpan[])[TimeSpan.FromTicks(-1), TaskLimits.LongestWait + TimeSpan.FromTicks(1)])
        {
            FluentActions.Invoking(() => StageOutcome.Failed(_error, retryAfter: delay))
                .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"*{delay}*from 0 to 36600.00:00:00*");
        }
    }

    private static TaskDefinition WithCommand(Func<TaskCommand, TaskCommand> change) =>
        _task with { Commands = [_task.Commands[0], change(_task.Commands[1]), _task.Commands[2]] };

    private static ManagedState At(int stage) => Claim(TaskLifecycle.Create(_task, "job", _now)) with { Stage = stage };

    private static ManagedState Claim(ManagedState state) => Next(state, new TaskEvent.Claimed("e", _claim))!.After;

    private static ManagedState Fail(ManagedState state, TaskDefinition? task = null, TimeSpan? retryAfter = null) =>
        Next(state, Report(state.Stage, StageOutcome.Failed(_error, retryAfter: retryAfter)), task)!.After;

    private static ManagedState Retry(ManagedState state, TaskDefinition? task = null) =>
        Next(state, new TaskEvent.CheckRetry(), task, state.RetryAt)!.After;

    private static TaskEvent.Reported Report(int stage, StageOutcome outcome) => new(new StageReport
    {
        TaskId = "t",
        Claim = _claim,
        JobId = "job",
        Attempt = 1,
        Stage = stage,
        Outcome = outcome,
    });

    private static Transition? Next(
        ManagedState state, TaskEvent happened, TaskDefinition? task = null, DateTimeOffset? at = null) =>
        TaskLifecycle.Next(task ?? _task, state, happened, at ?? _now, _rules);
}
