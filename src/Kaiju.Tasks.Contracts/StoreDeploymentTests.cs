using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>
/// The deployment of new definitions (<see cref="OnConflict.Update"/>): the rules of <see cref="TaskDeployment"/> as a
/// store keeps them, with many hosts at once.
/// </summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreDeploymentTests(OpenStore open) : StoreSuite(open)
{
    private static readonly TaskDefinition _old = Checked.Definition(
        Task("t", 1) with { Cron = "* * * * *", MaxRetries = 3, RetryDelay = TimeSpan.Zero });

    private static readonly TaskDefinition _new = Checked.Definition(_old with
    {
        Commands = [new("new"), new("more")],
        KwsJson = Json.Of("{\"release\":2}"),
        AppName = "other",
        Description = "second release",
    });

    /// <summary>A run keeps its work until its end; the next one has the new work. Reads show both.</summary>
    [Fact]
    public async Task A_run_and_its_retry_keep_their_work_and_the_next_run_has_the_new_one()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, 1);
        await opened.Advance(TimeSpan.FromSeconds(30));
        await opened.Store.QueueDueAsync(1, default);
        var first = await ClaimAsync(opened, "default");

        Assert.Equal(CreateResult.Updated, await UpsertAsync(opened, _new, 2));

        var read = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal(("do", "second release"), (read.Definition.Commands[0].Method, read.Definition.Description));
        Assert.Equal((_new.ToJson(), 2), (read.Waiting?.ToJson(), read.Version));
        await RecordAsync(opened, first, 0, StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom")));
        await opened.Store.RequeueFailedAsync(1, default);
        var second = await ClaimAsync(opened, "default");
        Assert.Equal(("do", "{}"), (second.Commands[0].Method, second.Kws.GetRawText()));
        await RecordAsync(opened, second, 0, StageOutcome.Completed(Json.Of("1")));
        await opened.Store.RestartPeriodicAsync(1, default);
        Assert.NotNull((await opened.Store.GetAsync("t", default))!.Waiting);

        await opened.Advance(TimeSpan.FromMinutes(1));
        await opened.Store.QueueDueAsync(1, default);
        var next = await ClaimAsync(opened, "other");

        Assert.Equal(["new", "more"], next.Commands.Select(command => command.Method));
        Assert.Equal("{\"release\":2}", next.Kws.GetRawText());
        var taken = (await opened.Store.GetAsync("t", default))!;
        Assert.Null(taken.Waiting);
        Assert.Equal((_new.ToJson(), 2, read.Revision + 1), (taken.Definition.ToJson(), taken.Version, taken.Revision));
    }

    /// <summary>The same definition again is not written, and an older one is skipped.</summary>
    [Fact]
    public async Task Only_a_newer_or_another_definition_changes_the_task()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, 1);
        await RunOnceAsync(opened);
        await UpsertAsync(opened, _new, 2);
        var before = (await opened.Store.GetAsync("t", default))!;

        Assert.Equal(CreateResult.Unchanged, await UpsertAsync(opened, _new, 2));
        Assert.Equal(CreateResult.Unchanged, await UpsertAsync(opened, _new, null));
        Assert.Equal(CreateResult.Skipped, await UpsertAsync(opened, _old, 1));

        var after = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal(before.ToJson(), after.ToJson());
        Assert.Equal(before.Revision, after.Revision);
        Assert.Equal(CreateResult.Updated, await UpsertAsync(opened, _old, 2));
        Assert.Null((await opened.Store.GetAsync("t", default))!.Waiting);
    }

    /// <summary>A reset begins with the newest definition.</summary>
    [Fact]
    public async Task A_reset_run_has_the_new_work()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, null);
        await opened.Advance(TimeSpan.FromSeconds(30));
        await opened.Store.QueueDueAsync(1, default);
        await UpsertAsync(opened, _new, null);

        await opened.Store.ResetAsync("t", default);
        await opened.Store.QueueDueAsync(1, default);

        Assert.Equal("new", (await ClaimAsync(opened, "other")).Commands[0].Method);
    }

    /// <summary>An update clears the definition that waits; disabling the task does not.</summary>
    [Fact]
    public async Task An_update_is_the_way_back_and_disabling_keeps_what_waits()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, 1);
        await RunOnceAsync(opened);
        await UpsertAsync(opened, _new, 2);
        var stored = (await opened.Store.GetAsync("t", default))!;

        await opened.Store.UpdateAsync(stored.Definition with { Enabled = false }, stored.Revision, default);

        var disabled = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((false, "new"), (disabled.Waiting!.Enabled, disabled.Waiting.Commands[0].Method));
        Assert.Equal(
            UpdateResult.Updated,
            (await opened.Store.UpdateAsync(_old, disabled.Revision, default)).Result);
        var back = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((_old.ToJson(), null, 2), (back.Definition.ToJson(), back.Waiting?.ToJson(), back.Version));
    }

    /// <summary>A task outside the caller's scope is refused, and a version is stored with every creation.</summary>
    [Fact]
    public async Task A_known_id_outside_the_scope_is_refused()
    {
        await using var opened = await OpenAsync();
        var rule = new ConflictRule(OnConflict.Fail, 7);
        await opened.Store.CreateAsync([_old], rule, CallContext.Empty, default);
        var context = new CallContext { Scope = new TaskScope { Apps = ["another"] } };

        var answers = await opened.Store.CreateAsync([_new], OnConflict.Update, context, default);

        Assert.Equal(CreateResult.Refused, Assert.Single(answers).Result);
        var read = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((_old.ToJson(), 7), (read.Definition.ToJson(), read.Version));
    }

    /// <summary>Known, new and repeated ids in one call are answered one by one.</summary>
    [Fact]
    public async Task A_call_creates_and_updates_several_tasks()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, null);
        var other = Checked.Definition(Task("u", 1));

        var answers = await opened.Store.CreateAsync(
            [other, _new, other, _new], OnConflict.Update, CallContext.Empty, default);

        Assert.Equal(
            [CreateResult.Created, CreateResult.Updated, CreateResult.Unchanged, CreateResult.Unchanged],
            answers.Select(answer => answer.Result));
    }

    /// <summary>An exported task is imported with the definition that waits and with its version.</summary>
    [Fact]
    public async Task An_import_keeps_the_definition_that_waits()
    {
        await using var opened = await OpenAsync();
        await UpsertAsync(opened, _old, 1);
        await RunOnceAsync(opened);
        await UpsertAsync(opened, _new, 2);
        var exported = (await opened.Store.GetAsync("t", default))!.ToJson();
        await opened.Store.DeleteAsync("t", default);

        await opened.Store.ImportAsync([Checked.Import(TaskRecord.FromJson(exported))], [], default);

        Assert.Equal(exported, (await opened.Store.GetAsync("t", default))!.ToJson());
        await opened.Advance(TimeSpan.FromMinutes(1));
        await opened.Store.QueueDueAsync(1, default);
        Assert.Equal("new", (await ClaimAsync(opened, "other")).Commands[0].Method);
    }

    /// <summary>
    /// Hosts of an old and of a new release start at the same instant, again and again, while the task runs each
    /// minute: there is one task with the newest definition, each occurrence runs once, and no call fails.
    /// </summary>
    [Fact]
    public async Task Any_number_of_hosts_may_start_at_once_while_the_task_runs()
    {
        const int Hosts = 8;
        const int Minutes = 6;
        await using var opened = await OpenAsync();
        var runs = new List<(string Method, DateTimeOffset Occurrence)>();
        var created = await StartAsync(opened, Hosts, hasNew: false);
        Assert.Single(created, CreateResult.Created);
        for (var minute = 0; minute < Minutes; minute++)
        {
            await opened.Advance(TimeSpan.FromSeconds(minute == 0 ? 30 : 60));
            var starts = StartAsync(opened, Hosts, hasNew: minute >= Minutes / 2);
            await RunDueAsync(opened, runs);
            Assert.DoesNotContain(CreateResult.Refused, await starts.WaitAsync(TimeSpan.FromMinutes(1)));

            // Like a manager, which comes again: a store may pass over a row that a starting host holds.
            await RunDueAsync(opened, runs);
        }

        Assert.Equal(CreateResult.Skipped, await UpsertAsync(opened, _old, 1));
        var task = Assert.Single(await ListAsync(opened, new TaskQuery()));
        Assert.Equal((_new.ToJson(), 2, 0), (task.Definition.ToJson(), task.Version, task.Skipped));
        Assert.Equal(
            Enumerable.Range(0, Minutes).Select(minute => Start.AddSeconds(30).AddMinutes(minute)),
            runs.Select(run => run.Occurrence));
        Assert.All(runs[..(Minutes / 2)], run => Assert.Equal("do", run.Method));
        Assert.All(runs[((Minutes / 2) + 1)..], run => Assert.Equal("new", run.Method));
    }

    private static async Task<CreateResult> UpsertAsync(OpenedStore opened, TaskDefinition definition, long? version)
    {
        var rule = new ConflictRule(OnConflict.Update, version);
        return Assert.Single(
            await opened.Store.CreateAsync([definition], rule, CallContext.Empty, default)).Result;
    }

    /// <summary>Starts many hosts at once; if there are new ones, each second host is new.</summary>
    private static Task<CreateResult[]> StartAsync(OpenedStore opened, int hosts, bool hasNew) =>
        System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, hosts).Select(host => System.Threading.Tasks.Task.Run(
            () => hasNew && host % 2 == 0 ? UpsertAsync(opened, _new, 2) : UpsertAsync(opened, _old, 1))));

    private static async Task RunOnceAsync(OpenedStore opened)
    {
        await opened.Advance(TimeSpan.FromSeconds(30));
        await RunDueAsync(opened);
    }

    /// <summary>Runs the task if it is due, and notes its first method and its occurrence.</summary>
    private static async Task RunDueAsync(OpenedStore opened, List<(string Method, DateTimeOffset Occurrence)> runs)
    {
        await opened.Store.QueueDueAsync(10, default);
        var executor = Executor.With(e => e.Apps, ["default", "other"]);
        foreach (var task in await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = executor, MaxTasks = 10, MaxBytes = long.MaxValue }, default))
        {
            runs.Add((task.Commands[0].Method, (await opened.Store.GetAsync(task.Id, default))!.Occurrence!.Value));
            for (var stage = 0; stage < task.Stages; stage++)
            {
                await RecordAsync(opened, task, stage, StageOutcome.Completed(Json.Of("1")));
            }
        }

        await opened.Store.RestartPeriodicAsync(10, default);
    }

    private static async Task<ExecutorTask> ClaimAsync(OpenedStore opened, string app) => Assert.Single(
        await opened.Queue.ClaimAsync(
            new ClaimRequest
            {
                Executor = Executor.With(e => e.Apps, [app]),
                MaxTasks = 10,
                MaxBytes = long.MaxValue,
            },
            default));
}
