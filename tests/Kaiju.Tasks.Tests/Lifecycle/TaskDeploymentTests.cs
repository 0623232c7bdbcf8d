using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>A deployment changes a task without changing a run that is under way.</summary>
public sealed class TaskDeploymentTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;
    private static readonly LifecycleRules _rules = new();
    private static readonly TaskDefinition _old = Complete(
        new() { Id = "t", Cron = "* * * * *", Commands = [new("old")] });

    private static readonly TaskDefinition _new = _old with { Commands = [new("new"), new("more")], Priority = 7 };

    public static TheoryData<TaskState, bool> Begun => new()
    {
        { TaskState.Idle, false },
        { TaskState.Queued, false },
        { TaskState.Executing, false },
        { TaskState.Suspended, false },
        { TaskState.Waiting, false },
        { TaskState.Failed, true },
        { TaskState.Failed, false },
        { TaskState.Finished, false },
    };

    [Theory]
    [MemberData(nameof(Begun))]
    public void The_work_waits_once_the_task_has_been_queued_and_all_else_counts_at_once(TaskState state, bool retries)
    {
        var stored = Stored(state) with
        {
            Managed = Managed(state) with { RetryAt = retries ? _now.AddMinutes(1) : null },
        };

        var deployed = TaskDeployment.Decide(stored, _new, null, _now);

        deployed.Result.Should().Be(CreateResult.Updated);
        Methods(deployed.Definition).Should().Equal("old");
        deployed.Definition.Priority.Should().Be(7);
        Methods(deployed.Waiting!).Should().Equal("new", "more");
        deployed.State.State.Should().Be(state);
    }

    [Theory]
    [InlineData("app")]
    [InlineData("kws")]
    public void App_and_kws_wait_like_commands(string member)
    {
        var asked = member == "app" ? _old with { AppName = "other" } : _old with { KwsJson = Parse("{\"a\":1}") };

        var deployed = TaskDeployment.Decide(Stored(TaskState.Executing), asked, null, _now);

        TaskDeployment.IsSame(deployed.Definition, _old).Should().BeTrue();
        TaskDeployment.IsSame(deployed.Waiting!, asked).Should().BeTrue();
    }

    [Fact]
    public void A_task_that_was_never_queued_gets_the_work_at_once()
    {
        var stored = Stored(TaskState.Idle) with { Managed = Managed(TaskState.Idle) with { QueuedAt = null } };

        var deployed = TaskDeployment.Decide(stored, _new, null, _now);

        Methods(deployed.Definition).Should().Equal("new", "more");
        deployed.Waiting.Should().BeNull();
    }

    [Fact]
    public void The_same_definition_again_changes_nothing_whether_it_waits_or_not()
    {
        var stored = Stored(TaskState.Executing);
        var deployed = After(stored, TaskDeployment.Decide(stored, _new, null, _now));

        TaskDeployment.Decide(stored, _old with { RunAt = _now }, null, _now).Result.Should().Be(
            CreateResult.Unchanged, "the time of the first run has passed");
        var again = TaskDeployment.Decide(deployed, _new, null, _now);
        again.Result.Should().Be(CreateResult.Unchanged);
        again.Waiting.Should().BeSameAs(deployed.Waiting);
        again.State.Should().BeSameAs(deployed.Managed);
    }

    [Fact]
    public void The_definition_that_a_run_uses_takes_the_place_of_the_one_that_waits()
    {
        var stored = Stored(TaskState.Executing);
        var deployed = After(stored, TaskDeployment.Decide(stored, _new, null, _now));

        var back = TaskDeployment.Decide(deployed, _old, null, _now);

        back.Should().Match<TaskDeployment>(b => b.Result == CreateResult.Updated && b.Waiting == null);
        TaskDeployment.IsSame(back.Definition, _old).Should().BeTrue();
    }

    [Theory]
    [InlineData(5, 4, CreateResult.Skipped, 5)]
    [InlineData(5, 5, CreateResult.Updated, 5)]
    [InlineData(5, 6, CreateResult.Updated, 6)]
    [InlineData(5, null, CreateResult.Updated, 5)]
    [InlineData(null, -1, CreateResult.Updated, -1)]
    [InlineData(null, null, CreateResult.Updated, null)]
    public void A_lower_version_changes_nothing(int? stored, int? asked, CreateResult result, int? kept)
    {
        var deployed = TaskDeployment.Decide(Stored(TaskState.Executing) with { Version = stored }, _new, asked, _now);

        deployed.Result.Should().Be(result);
        deployed.Version.Should().Be(kept);
        (deployed.Waiting is null).Should().Be(result == CreateResult.Skipped);
    }

    [Fact]
    public void A_higher_version_of_the_same_definition_is_stored()
    {
        var deployed = TaskDeployment.Decide(Stored(TaskState.Executing) with { Version = 1 }, _old, 2, _now);

        deployed.Should().Match<TaskDeployment>(d => d.Result == CreateResult.Updated && d.Version == 2);
        deployed.Waiting.Should().BeNull();
    }

    [Fact]
    public void An_occurrence_that_is_overdue_is_not_dropped()
    {
        var due = _now.AddMinutes(-3);
        var overdue = Stored(TaskState.Idle) with { Managed = Managed(TaskState.Idle) with { NextRun = due } };
        var hourly = _old with { Cron = "@hourly" };

        TaskDeployment.Decide(overdue, hourly, null, _now).State.NextRun.Should().Be(due);
        TaskDeployment.Decide(Stored(TaskState.Idle), hourly, null, _now).State.NextRun.Should().Be(
            TaskTestHost.Start.AddMinutes(59.5), "one in the future follows the new schedule");
    }

    [Fact]
    public void The_time_of_the_first_run_stays_without_an_error_once_the_task_is_not_idle()
    {
        var asked = _new with { RunAt = _now.AddHours(1) };

        TaskDeployment.Decide(Stored(TaskState.Executing), asked, null, _now).Definition.RunAt.Should().BeNull();
        TaskDeployment.Decide(Stored(TaskState.Idle), asked, null, _now).State.NextRun.Should().Be(_now.AddHours(1));
    }

    [Fact]
    public void A_run_from_the_first_stage_takes_the_work_that_waits()
    {
        var idle = Managed(TaskState.Idle) with { NextRun = _now };

        var waiting = _new with { MaxExecTimeout = TimeSpan.FromDays(1) };
        var begun = Next(_old, idle, new TaskEvent.QueueDue(false, waiting));

        begun.TakesWaiting.Should().BeTrue();
        begun.After.Method.Should().Be("new");
        begun.After.ExecDeadline.Should().Be(_now + _old.MaxExecTimeout, "all but the work counts already");
    }

    [Fact]
    public void A_reset_run_takes_the_work_that_waits_too()
    {
        var reset = Next(_old, Managed(TaskState.Executing), new TaskEvent.Reset("j2"));

        reset.TakesWaiting.Should().BeFalse();
        Next(_old, reset.After, new TaskEvent.QueueDue(false, _new)).TakesWaiting.Should().BeTrue();
    }

    [Theory]
    [InlineData(RestartPolicy.Current)]
    [InlineData(RestartPolicy.First)]
    public void A_retry_and_a_resumed_run_use_what_the_run_began_with(RestartPolicy policy)
    {
        var task = _old with { RestartPolicy = policy, MaxRetries = 3 };
        var failed = Managed(TaskState.Failed) with { RetryAt = _now };

        Next(task, failed, new TaskEvent.CheckRetry()).TakesWaiting.Should().BeFalse();
        var resumed = Next(task, Managed(TaskState.Suspended), new TaskEvent.QueueDue(false, _new));
        resumed.TakesWaiting.Should().BeFalse();
        resumed.After.Method.Should().Be("old");
    }

    [Fact]
    public void An_update_clears_the_definition_that_waits_unless_it_only_enables_or_disables_the_task()
    {
        var off = TaskUpdate.KeepWaiting(_old, _new, _old with { Enabled = false });

        off.Should().Match<TaskDefinition>(waiting => !waiting.Enabled && waiting.Commands.Count == 2);
        TaskUpdate.KeepWaiting(_old, _new, _old).Should().BeNull();
        TaskUpdate.KeepWaiting(_old, _new, _old with { Enabled = false, Priority = 1 }).Should().BeNull();
        TaskUpdate.KeepWaiting(_old, null, _old with { Enabled = false }).Should().BeNull();
    }

    private static Transition Next(TaskDefinition task, ManagedState state, TaskEvent happened) =>
        TaskLifecycle.Next(task, state, happened, _now, _rules)!;

    private static TaskRecord After(TaskRecord stored, TaskDeployment deployed) => stored with
    {
        Definition = deployed.Definition,
        Waiting = deployed.Waiting,
        Version = deployed.Version,
        Managed = deployed.State,
    };

    private static TaskRecord Stored(TaskState state) =>
        new() { Definition = _old, Managed = Managed(state), Created = _now.AddHours(-1) };

    private static ManagedState Managed(TaskState state) => new()
    {
        State = state,
        JobId = "j1",
        ResultRun = "j1",
        QueuedAt = _now.AddMinutes(-1),
        NextRun = state == TaskState.Idle ? _now.AddSeconds(30) : null,
        StatusChange = _now.AddMinutes(-1),
    };

    private static IEnumerable<string> Methods(TaskDefinition task) => task.Commands.Select(command => command.Method);

    private static TaskDefinition Complete(TaskDefinition task) => task with
    {
        AppName = "default",
        KwsJson = Parse("{}"),
        MaxExecTimeout = TimeSpan.FromMinutes(1),
    };

    private static JsonElement Parse(string json) => JsonElement.Parse(json);
}
