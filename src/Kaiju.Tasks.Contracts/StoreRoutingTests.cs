using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>
/// Which executor may run what: announcements, tasks that are held, tasks that are put back, and pauses.
/// </summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreRoutingTests(OpenStore open) : StoreSuite(open)
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private static readonly ExecutorInfo _old = Executor.With(e => e.Id, "old").With(e => e.Commands, ["a", "b"]);
    private static readonly ExecutorInfo _new = Executor.With(e => e.Id, "new").With(e => e.Commands, ["a", "c"]);

    /// <summary>Without announcements every executor may claim every task of its apps.</summary>
    [Fact]
    public async Task Without_announcements_no_task_is_held()
    {
        await using var opened = await OpenAsync();
        await opened.Store.HeartbeatAsync(Executor, [], default);
        await CreateAsync(opened, "t", "anything");

        Assert.Equal(TaskHold.None, (await GetAsync(opened, "t")).Managed.Hold);
        Assert.Equal(["t"], await ClaimAsync(opened, Executor));
    }

    /// <summary>
    /// A new task that not every living executor knows is held; only an executor that knows it claims it, and only if
    /// it serves the app.
    /// </summary>
    [Fact]
    public async Task A_task_is_claimed_only_by_executors_that_know_its_command()
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        await CreateAsync(opened, "shared", "a");
        await CreateAsync(opened, "removed", "b");
        await CreateAsync(opened, "added", "c");
        await CreateAsync(opened, "unknown", "d");

        Assert.Equal(
            [TaskHold.None, TaskHold.UnknownCommand, TaskHold.UnknownCommand, TaskHold.UnknownCommand],
            await HoldsAsync(opened, "shared", "removed", "added", "unknown"));
        Assert.Equal(["shared"], await ClaimAsync(opened, _new, most: 1));
        await FindsQueuedAsync(opened, _new);
        Assert.Equal(["added"], await ClaimAsync(opened, _new));
        Assert.Equal(["removed"], await ClaimAsync(opened, _old));
        Assert.Empty(await ClaimAsync(opened, Executor.With(e => e.Id, "silent")));
        Assert.Equal(TaskHold.None, (await GetAsync(opened, "added")).Managed.Hold);
    }

    /// <summary>Held and common tasks are claimed in one order, by priority, then by age.</summary>
    [Fact]
    public async Task Held_tasks_are_claimed_in_order_with_the_others()
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        foreach (var (id, method, priority) in new[]
        {
            ("1", "c", 0), ("2", "a", 0), ("3", "c", 0), ("4", "a", 1), ("5", "c", 1),
        })
        {
            await CreateAsync(opened, id, method, priority);
            await opened.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(["4", "5", "1"], await ClaimAsync(opened, _new, most: 3));
        Assert.Equal(["2", "3"], await ClaimAsync(opened, _new));
    }

    /// <summary>The hold of a task is decided again in each step that queues it.</summary>
    [Fact]
    public async Task A_task_that_is_queued_later_is_held_then()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [
                Checked.Definition(Task("due", "c") with { RunAt = Start.AddMinutes(1) }),
                Checked.Definition(Task("chained", "c") with { RunAt = TaskDefinition.OnDemand }),
                Checked.Definition(Task("template", "[kws.x]") with { RunAt = Start.AddMinutes(1) }),
            ],
            OnConflict.Fail,
            default);
        await opened.Store.HeartbeatAsync(_old, [], default);
        await opened.Advance(TimeSpan.FromMinutes(1));

        await opened.Store.QueueDueAsync(10, default);

        Assert.Equal([TaskHold.UnknownCommand, TaskHold.None], await HoldsAsync(opened, "due", "template"));
        Assert.Equal("c", (await GetAsync(opened, "due")).Managed.Method);
        Assert.Null((await GetAsync(opened, "template")).Managed.Method);
        Assert.Equal(["template"], await ClaimAsync(opened, _old));
    }

    /// <summary>
    /// When the last executor that does not know a command leaves or dies, a repair moves the held tasks to the common
    /// queue; when one comes that does not know it, out of that queue.
    /// </summary>
    [Theory]
    [InlineData("leaves")]
    [InlineData("dies")]
    public async Task Held_tasks_follow_the_executors(string how)
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        await CreateAsync(opened, "b", "b");
        await CreateAsync(opened, "c", "c");
        if (how == "leaves")
        {
            await opened.Store.SuspendExecutorAsync(_old.Id, default);
        }
        else
        {
            await opened.Advance(TimeSpan.FromSeconds(60));
            await opened.Store.HeartbeatAsync(_new, [], default);
            await opened.Advance(TimeSpan.FromSeconds(60));
            await opened.Store.ExpelDeadExecutorsAsync(null, 10, default);
        }

        var repair = await opened.Store.RepairHoldsAsync(10, default);

        Assert.Equal((1, false), (repair.Changed, repair.HasMore));
        Assert.Equal([("default", "b")], repair.Unroutable);
        Assert.Equal([TaskHold.UnknownCommand, TaskHold.None], await HoldsAsync(opened, "b", "c"));
        await opened.Store.HeartbeatAsync(_old, [], default);
        repair = await opened.Store.RepairHoldsAsync(10, default);
        Assert.Equal(1, repair.Changed);
        Assert.Empty(repair.Unroutable);
        Assert.Equal([TaskHold.UnknownCommand, TaskHold.UnknownCommand], await HoldsAsync(opened, "b", "c"));
        Assert.Equal(0, (await opened.Store.RepairHoldsAsync(10, default)).Changed);
        Assert.Equal(["c"], await ClaimAsync(opened, _new));
        Assert.Equal(["b"], await ClaimAsync(opened, _old));
    }

    /// <summary>An executor that was removed announces its commands again with its next heartbeat.</summary>
    [Fact]
    public async Task An_executor_that_was_forgotten_announces_its_commands_again()
    {
        await using var opened = await AnnouncedAsync(_old);
        await opened.Store.SuspendExecutorAsync(_old.Id, default);
        await CreateAsync(opened, "before", "c");

        await opened.Store.HeartbeatAsync(_old, [], default);
        await CreateAsync(opened, "after", "c");

        Assert.Equal([TaskHold.None, TaskHold.UnknownCommand], await HoldsAsync(opened, "before", "after"));
        await opened.Store.RepairHoldsAsync(10, default);
        Assert.Equal([TaskHold.UnknownCommand, TaskHold.UnknownCommand], await HoldsAsync(opened, "before", "after"));
    }

    /// <summary>A repair of many tasks is done in steps that remember their place.</summary>
    [Fact]
    public async Task Repairs_are_bounded_and_reach_every_task()
    {
        await using var opened = await OpenAsync();
        var ids = Enumerable.Range(0, 25).Select(i => $"t{i:00}").ToList();
        foreach (var (place, id) in ids.Index())
        {
            await CreateAsync(opened, id, place % 5 == 0 ? "a" : "c", priority: place % 3);
        }

        await opened.Store.HeartbeatAsync(_old, [], default);
        var steps = new List<HoldRepair> { await opened.Store.RepairHoldsAsync(4, default) };
        while (steps[^1].HasMore)
        {
            steps.Add(await opened.Store.RepairHoldsAsync(4, default));
        }

        Assert.True(steps.TrueForAll(step => step.Changed <= 4), "A step changes at most its limit.");
        Assert.Equal(20, steps.Sum(step => step.Changed));
        Assert.Equal(5, (await ClaimAsync(opened, _old)).Count);
        await opened.Store.HeartbeatAsync(_new, [], default);
        await opened.Store.SuspendExecutorAsync(_old.Id, default);
        var released = 0;
        for (var more = true; more;)
        {
            var step = await opened.Store.RepairHoldsAsync(4, default);
            Assert.InRange(step.Changed, 0, 4);
            (released, more) = (released + step.Changed, step.HasMore);
        }

        Assert.Equal(20, released);
        Assert.Equal(20, (await ClaimAsync(opened, Executor)).Count);
    }

    /// <summary>
    /// An executor that reaches a stage that it does not know puts the task back: under that method, at its place in
    /// the queue, without an attempt or an interruption. A report that is delivered again is answered alike.
    /// </summary>
    [Fact]
    public async Task A_task_is_put_back_at_its_place()
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        await opened.Store.CreateAsync(
            [Checked.Definition(new TaskDefinition { Id = "t", Commands = [new("a"), new("c")] })],
            OnConflict.Fail,
            default);
        await opened.Advance(TimeSpan.FromSeconds(1));
        var claimed = await ClaimOneAsync(opened, _old);
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await opened.Advance(TimeSpan.FromSeconds(1));
        var report = Report(claimed, 1, StageOutcome.PutBack("c"));

        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([report], default));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([report], default));

        var state = (await GetAsync(opened, "t")).Managed;
        Assert.Equal(
            (TaskState.Queued, TaskHold.UnknownCommand, "c", 1, Start, 1, 0),
            (state.State, state.Hold, state.Method, state.Stage, state.QueuedAt, state.Attempt, state.Interruptions));
        Assert.Null(state.ExecutorId);
        Assert.Empty(await ClaimAsync(opened, _old));
        var again = await ClaimOneAsync(opened, _new);
        Assert.Equal(("t", 1, 1), (again.Id, again.Stage, again.Attempt));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([report], default));
        Assert.Equal(
            [ReportAnswer.Superseded],
            await opened.Store.RecordAsync([Report(claimed, 1, StageOutcome.Completed(Json.Of("2")))], default));
        await RecordAsync(opened, again, 1, StageOutcome.Completed(Json.Of("2")));
        Assert.Equal(TaskState.Finished, (await GetAsync(opened, "t")).State);
    }

    /// <summary>
    /// A method that is a template is held under its filled name. The third different name at one stage fails the run;
    /// the same name does not count again, and the next stage counts anew.
    /// </summary>
    [Fact]
    public async Task The_third_name_of_a_filled_method_fails_the_run()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [Checked.Definition(new TaskDefinition { Id = "t", Commands = [new("[kws.x]"), new("[kws.x]")] })],
            OnConflict.Fail,
            default);
        foreach (var (name, putBacks) in new[] { ("x", 1), ("x", 1), ("y", 2), ("y", 2) })
        {
            await RecordAsync(opened, await ClaimKnowingAsync(opened, "x", "y"), 0, StageOutcome.PutBack(name));
            var state = (await GetAsync(opened, "t")).Managed;
            Assert.Equal((TaskState.Queued, name, putBacks), (state.State, state.Method, state.PutBacks));
        }

        var claimed = await ClaimKnowingAsync(opened, "x", "y");
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        Assert.Equal(0, (await GetAsync(opened, "t")).Managed.PutBacks);
        await RecordAsync(opened, claimed, 1, StageOutcome.PutBack("x"));
        await RecordAsync(opened, await ClaimKnowingAsync(opened, "x", "y"), 1, StageOutcome.PutBack("y"));
        await RecordAsync(opened, await ClaimKnowingAsync(opened, "x", "y"), 1, StageOutcome.PutBack("z"));

        var failed = await GetAsync(opened, "t");
        Assert.Equal((TaskState.Failed, TaskErrorKind.UnknownCommand), (failed.State, failed.Error!.Kind));
        Assert.Contains("\"z\"", failed.Error.Message, StringComparison.Ordinal);
    }

    /// <summary>Another queue's claim by id takes no task that the executor may not claim.</summary>
    [Fact]
    public async Task A_claim_by_id_obeys_holds_and_pauses()
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        await CreateAsync(opened, "b", "b");
        await CreateAsync(opened, "c", "c");
        await CreateAsync(opened, "a", "a");
        await opened.Store.PauseAsync(new TaskPause { Method = "a" }, CallContext.Empty, default);
        await opened.Store.RepairHoldsAsync(10, default);

        Assert.Equal(["c"], Ids(await opened.Store.ClaimAsync(_new, ["a", "b", "c"], default)));
        await opened.Store.PauseAsync(new TaskPause { AppName = "default" }, CallContext.Empty, default);
        Assert.Empty(await opened.Store.ClaimAsync(_old, ["a", "b", "c"], default));
        await opened.Store.ResumeAsync("default", null, CallContext.Empty, default);
        Assert.Equal(["b"], Ids(await opened.Store.ClaimAsync(_old, ["a", "b", "c"], default)));
    }

    /// <summary>A paused app is left out of claims at once, and only it; a resume ends that at once.</summary>
    [Fact]
    public async Task A_paused_app_is_left_out_of_claims()
    {
        await using var opened = await OpenAsync();
        var executor = Executor.With(e => e.Apps, ["default", "shop"]);
        await CreateAsync(opened, "t", "do");
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("u", "do") with { AppName = "shop" })], OnConflict.Fail, default);

        await opened.Store.PauseAsync(new TaskPause { AppName = "default" }, CallContext.Empty, default);

        Assert.Equal(TaskHold.None, (await GetAsync(opened, "t")).Managed.Hold);
        Assert.Equal(["u"], await ClaimAsync(opened, executor));
        Assert.True(await opened.Store.ResumeAsync("default", null, CallContext.Empty, default));
        Assert.False(await opened.Store.ResumeAsync("default", null, CallContext.Empty, default));
        await FindsQueuedAsync(opened, executor);
        Assert.Equal(["t"], await ClaimAsync(opened, executor));
    }

    /// <summary>
    /// A paused method holds its tasks, in one app or in all: new ones at once, queued ones with the next repair. It
    /// comes before an unknown command. What runs is not touched.
    /// </summary>
    [Theory]
    [InlineData("default")]
    [InlineData(null)]
    public async Task A_paused_method_holds_its_tasks(string? app)
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        await CreateAsync(opened, "running", "a");
        await CreateAsync(opened, "queued", "a");
        await CreateAsync(opened, "held", "c");
        var running = await ClaimOneAsync(opened, _old);

        foreach (var method in new[] { "a", "c" })
        {
            Assert.True(await opened.Store.PauseAsync(
                new TaskPause { AppName = app, Method = method }, CallContext.Empty, default));
        }

        await CreateAsync(opened, "new", "a");
        Assert.Equal(
            [TaskHold.None, TaskHold.UnknownCommand, TaskHold.Paused],
            await HoldsAsync(opened, "queued", "held", "new"));
        await opened.Store.RepairHoldsAsync(10, default);
        Assert.Equal(
            [TaskHold.Paused, TaskHold.Paused, TaskHold.Paused], await HoldsAsync(opened, "queued", "held", "new"));
        Assert.Empty(await ClaimAsync(opened, _old));
        Assert.Empty(await ClaimAsync(opened, _new));
        await RecordAsync(opened, running, 0, StageOutcome.Completed(Json.Of("1")));

        Assert.True(await opened.Store.ResumeAsync(app, "a", CallContext.Empty, default));
        Assert.True(await opened.Store.ResumeAsync(app, "c", CallContext.Empty, default));
        await opened.Store.RepairHoldsAsync(10, default);
        Assert.Equal(
            [TaskHold.None, TaskHold.UnknownCommand, TaskHold.None], await HoldsAsync(opened, "queued", "held", "new"));
        Assert.Equal(["queued", "new"], await ClaimAsync(opened, _old));
    }

    /// <summary>A pause with a time ends by itself: for claims at once, for held tasks with the next repair.</summary>
    [Fact]
    public async Task A_pause_is_lifted_when_its_time_is_over()
    {
        await using var opened = await OpenAsync();
        var until = Start.AddMinutes(5);
        await opened.Store.PauseAsync(
            new TaskPause { AppName = "default", Until = until, Reason = "repair" },
            new CallContext { Actor = "ann" },
            default);
        await opened.Store.PauseAsync(new TaskPause { Method = "do", Until = until }, CallContext.Empty, default);
        await CreateAsync(opened, "t", "do");
        await CreateAsync(opened, "u", "other");
        Assert.Empty(await ClaimAsync(opened, Executor));
        var pauses = await opened.Store.ListPausesAsync(default);
        Assert.Equal(
            [(null, "do", null, until, Start, null), ("default", null, "repair", until, Start, "ann")],
            pauses.Select(p => (p.AppName, p.Method, p.Reason, p.Until!.Value, p.Since, p.Actor)));

        await opened.Advance(TimeSpan.FromMinutes(5));

        Assert.Empty(await opened.Store.ListPausesAsync(default));
        Assert.Equal(["u"], await ClaimAsync(opened, Executor));
        Assert.Equal(1, (await opened.Store.RepairHoldsAsync(10, default)).Changed);
        Assert.Equal(["t"], await ClaimAsync(opened, Executor));
        Assert.False(await opened.Store.ResumeAsync(null, "do", CallContext.Empty, default));
    }

    /// <summary>A pause replaces an earlier one of the same app and method.</summary>
    [Fact]
    public async Task A_second_pause_of_the_same_replaces_the_first()
    {
        await using var opened = await OpenAsync();
        await opened.Store.PauseAsync(
            new TaskPause { AppName = "default", Method = "do", Until = Start.AddMinutes(1) },
            CallContext.Empty,
            default);
        await opened.Store.PauseAsync(
            new TaskPause { AppName = "default", Method = "do", Reason = "longer" }, CallContext.Empty, default);
        await opened.Advance(TimeSpan.FromMinutes(2));
        await opened.Store.RepairHoldsAsync(10, default);

        var pause = Assert.Single(await opened.Store.ListPausesAsync(default));
        Assert.Equal(("longer", null), (pause.Reason, pause.Until));
    }

    /// <summary>A caller pauses only what its scope contains as a whole.</summary>
    [Fact]
    public async Task A_pause_outside_the_scope_of_its_caller_is_refused()
    {
        await using var opened = await OpenAsync();
        var scoped = new CallContext { Scope = new TaskScope { Apps = ["shop"] } };
        var ofUsers = new CallContext { Scope = new TaskScope { Apps = ["shop"], Users = ["u"] } };
        var shop = new TaskPause { AppName = "shop" };

        Assert.False(await opened.Store.PauseAsync(new TaskPause { AppName = "default" }, scoped, default));
        Assert.False(await opened.Store.PauseAsync(new TaskPause { Method = "do" }, scoped, default));
        Assert.False(await opened.Store.PauseAsync(shop, ofUsers, default));
        Assert.Empty(await opened.Store.ListPausesAsync(default));
        Assert.True(await opened.Store.PauseAsync(shop, scoped, default));
        Assert.False(await opened.Store.ResumeAsync("shop", null, ofUsers, default));
        Assert.True(await opened.Store.ResumeAsync("shop", null, scoped, default));
    }

    /// <summary>An invalid pause is refused with its fault, and nothing is stored.</summary>
    [Fact]
    public async Task An_invalid_pause_is_refused()
    {
        await using var opened = await OpenAsync();
        var long1 = new string('x', 201);
        foreach (var (pause, text) in new[]
        {
            (new TaskPause(), "AppName and Method are null"),
            (new TaskPause { AppName = "" }, "AppName is \"\""),
            (new TaskPause { AppName = "a", Method = " " }, "Method is \" \""),
            (new TaskPause { Method = long1 }, "Method is "),
            (new TaskPause { Method = "m", Reason = "\0" }, "Reason "),
            (new TaskPause { Method = "m", Reason = new string('x', 1001) }, "Reason has 1001 characters"),
        })
        {
            var refused = await Assert.ThrowsAnyAsync<ArgumentException>(
                async () => await opened.Store.PauseAsync(pause, CallContext.Empty, default));
            Assert.StartsWith(text, refused.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(
            async () => await opened.Store.ResumeAsync(null, null, CallContext.Empty, default));
        Assert.Empty(await opened.Store.ListPausesAsync(default));
    }

    /// <summary>A disabled task is not held or released; its hold is decided when it is enabled again.</summary>
    [Fact]
    public async Task A_disabled_task_is_decided_when_it_is_enabled()
    {
        await using var opened = await AnnouncedAsync(_old, _new);
        var definition = Checked.Definition(Task("t", "c"));
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        await opened.Store.UpdateAsync(definition with { Enabled = false }, 0, default);
        await opened.Store.SuspendExecutorAsync(_old.Id, default);
        await opened.Store.RepairHoldsAsync(10, default);
        Assert.Empty(await ClaimAsync(opened, _new));

        await opened.Store.UpdateAsync(definition, 1, default);

        Assert.Equal(TaskHold.None, (await GetAsync(opened, "t")).Managed.Hold);
        Assert.Equal(["t"], await ClaimAsync(opened, _new));
    }

    /// <summary>Held tasks and those of a paused app are not work that no executor does.</summary>
    [Fact]
    public async Task Work_that_waits_on_purpose_is_not_unattended()
    {
        await using var opened = await AnnouncedAsync(_old);
        await CreateAsync(opened, "held", "c");
        await opened.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty((await opened.Store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default)).Apps);
        await CreateAsync(opened, "t", "a");
        await opened.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["default"], (await opened.Store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default)).Apps);

        await opened.Store.PauseAsync(new TaskPause { AppName = "default" }, CallContext.Empty, default);

        Assert.Empty((await opened.Store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default)).Apps);
    }

    /// <summary>A held task that is cancelled or reset is not held any more.</summary>
    [Fact]
    public async Task A_held_task_can_be_cancelled_and_reset()
    {
        await using var opened = await AnnouncedAsync(_old);
        await CreateAsync(opened, "t", "c");

        Assert.True(await opened.Store.CancelAsync("t", default));
        Assert.Equal(TaskHold.None, (await GetAsync(opened, "t")).Managed.Hold);
        await opened.Store.ResetAsync("t", default);
        await opened.Store.QueueDueAsync(10, default);
        Assert.Equal(TaskHold.UnknownCommand, (await GetAsync(opened, "t")).Managed.Hold);
    }

    private static TaskDefinition Task(string id, string method) => new() { Id = id, Commands = [new(method)] };

    private static List<string> Ids(IReadOnlyList<ExecutorTask> tasks) => [.. tasks.Select(task => task.Id)];

    private static async Task CreateAsync(OpenedStore opened, string id, string method, int priority = 0) =>
        await opened.Store.CreateAsync(
            [Checked.Definition(Task(id, method) with { Priority = priority })], OnConflict.Fail, default);

    private static async Task<TaskRecord> GetAsync(OpenedStore opened, string id) =>
        (await opened.Store.GetAsync(id, default))!;

    private static async Task<List<TaskHold>> HoldsAsync(OpenedStore opened, params string[] ids)
    {
        var holds = new List<TaskHold>();
        foreach (var id in ids)
        {
            holds.Add((await GetAsync(opened, id)).Managed.Hold);
        }

        return holds;
    }

    private static async Task<List<string>> ClaimAsync(OpenedStore opened, ExecutorInfo executor, int most = 100) =>
        Ids(await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = executor, MaxTasks = most, MaxBytes = long.MaxValue }, default));

    private static async Task<ExecutorTask> ClaimOneAsync(OpenedStore opened, ExecutorInfo executor) =>
        Assert.Single(await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = executor, MaxTasks = 1, MaxBytes = long.MaxValue }, default));

    /// <summary>Claims as an executor that has announced these commands.</summary>
    private static async Task<ExecutorTask> ClaimKnowingAsync(OpenedStore opened, params string[] commands)
    {
        var executor = Executor.With(e => e.Id, "knowing").With(e => e.Commands, commands);
        await opened.Store.HeartbeatAsync(executor, [], default);
        return Assert.Single(await opened.Store.ClaimAsync(executor, ["t"], default));
    }

    /// <summary>The wait of an executor ends at once if the queue has a task for it.</summary>
    private static async Task FindsQueuedAsync(OpenedStore opened, ExecutorInfo executor) =>
        await opened.Queue.WaitAsync(executor, TimeSpan.FromDays(1), default).AsTask().WaitAsync(_bound);

    private async Task<OpenedStore> AnnouncedAsync(params ExecutorInfo[] executors)
    {
        var opened = await OpenAsync();
        foreach (var executor in executors)
        {
            await opened.Store.HeartbeatAsync(executor, [], default);
        }

        return opened;
    }
}
