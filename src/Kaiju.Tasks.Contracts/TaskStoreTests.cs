using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>What a store promises beside its transitions: JSON as it was written, answers for each item, batches, and many callers at once.</summary>
/// <param name="open">Opens an empty store.</param>
public abstract partial class TaskStoreTests(OpenStore open)
{
    private static readonly ExecutorInfo _executor = new("executor", "default", ["default"], 100);

    private static readonly DateTimeOffset _start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    /// <summary>Numbers keep their spelling, objects the order of their keys, and text its characters.</summary>
    [Theory]
    [InlineData("1.0")]
    [InlineData("1E400")]
    [InlineData("123456789012345678901234567890.10")]
    [InlineData("-0")]
    [InlineData("""{"b": 1.50,  "a": [ 1,2 ]}""")]
    [InlineData("\"\\u00e9 é 𝄞 \\ud834\\udd1e \\\" \\\\ \\/ \\n ' $1 %s @x :y\"")]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task Json_is_kept_as_it_was_written(string json)
    {
        await using var opened = await OpenAsync();
        var value = Json.Of(json);
        var kws = Json.Of($$"""{"a": {{json}}}""");
        var definition = Checked.Definition(Task("t", 3) with
        {
            KwsJson = kws,
            MetaJson = kws,
            Notify = true,
            Commands = [new("do", value), new("do", kws), new MessageCommand()],
        });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        var claimed = Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 1, 1_000_000), default));
        Assert.Equal(kws.GetRawText(), claimed.Commands[1].ParamsJson.GetRawText());
        Assert.Equal(kws.GetRawText(), claimed.Kws.GetRawText());
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(value));
        await RecordAsync(opened, claimed, 1, StageOutcome.Completed(value));
        await RecordAsync(opened, claimed, 2, StageOutcome.WaitForMessage());
        await opened.Store.SendMessageAsync("t", value, default);

        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal(TaskState.Finished, task.State);
        Assert.Equal([json, json, json], task.Result.Texts());
        Assert.Equal(definition.ToJson(), task.Definition.ToJson());
        Assert.Equal([json, json, json], (await opened.Store.GetStagesAsync("t", default)).Select(stage => stage.Result).Texts());
        Assert.Equal([json, json, json], Assert.Single((await opened.Store.ListNotificationsAsync(new NotificationQuery(), 10, default)).Notifications).Result.Texts());
    }

    /// <summary>Whatever a text may hold, it is found again and stays itself.</summary>
    [Theory]
    [InlineData("it's \"quoted\"; drop table tasks; --")]
    [InlineData("100% _like_ \\ [a-z]*")]
    [InlineData("é𝄞 中文 \u202e")]
    [InlineData("A")]
    public async Task Texts_are_only_texts(string text)
    {
        await using var opened = await OpenAsync();
        var definition = Checked.Definition(Task(text, 1) with { AppName = text, Group = text, GroupId = text, UserId = text, Description = text });

        await opened.Store.CreateAsync([definition, Checked.Definition(Task("a", 1))], OnConflict.Fail, default);
        Assert.Equal(definition.ToJson(), (await opened.Store.GetAsync(text, default))!.Definition.ToJson());
        Assert.Equal([text], (await ListAsync(opened, new TaskQuery { IdPrefix = text })).Select(task => task.Id));
        Assert.Equal([text], (await ListAsync(opened, new TaskQuery { AppName = definition.AppName })).Select(task => task.Id));
        Assert.Equal(text, Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor with { Apps = [definition.AppName!] }, 1, 1), default)).Id);
    }

    /// <summary>A definition that no checker has seen is refused, and with it everything beside it.</summary>
    [Fact]
    public async Task A_batch_with_an_item_that_was_not_prepared_stores_nothing()
    {
        await using var opened = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await opened.Store.CreateAsync([Checked.Definition(Task("t", 1)), Task("u", 1)], OnConflict.Fail, default));
        Assert.Null(await opened.Store.GetAsync("t", default));
    }

    /// <summary>An id that comes twice in a call meets what the call itself has created.</summary>
    [Fact]
    public async Task A_batch_answers_each_item_of_its_own()
    {
        await using var opened = await OpenAsync();
        var (t, u) = (Checked.Definition(Task("t", 1)), Checked.Definition(Task("u", 1)));
        var later = t with { RunAt = _start.AddDays(1) };

        var answers = await opened.Store.CreateAsync([t, t, u, later], OnConflict.Fail, default);
        Assert.Equal(
            [("t", CreateResult.Created), ("t", CreateResult.Refused), ("u", CreateResult.Created), ("t", CreateResult.Refused)],
            answers.Select(answer => (answer.TaskId, answer.Result)));

        answers = await opened.Store.CreateAsync([u, later with { Id = "v" }, t with { Id = "v" }], OnConflict.Replace, default);
        Assert.Equal(
            [("u", CreateResult.Refused, TaskState.Queued), ("v", CreateResult.Created, TaskState.Idle), ("v", CreateResult.Replaced, TaskState.Queued)],
            answers.Select(answer => (answer.TaskId, answer.Result, answer.State)));
    }

    /// <summary>Ten thousand tasks are created in one call, in order.</summary>
    [Fact]
    public async Task Many_tasks_are_created_in_one_call()
    {
        await using var opened = await OpenAsync();
        var tasks = Enumerable.Range(0, 10_000).Select(i => Checked.Definition(Task($"t{i:00000}", 1))).ToList();
        var answers = await opened.Store.CreateAsync(tasks, OnConflict.Fail, default);
        Assert.All(answers, answer => Assert.Equal(CreateResult.Created, answer.Result));
        var claimed = await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 100, 1_000_000), default);
        Assert.Equal(tasks.Take(100).Select(task => task.Id), claimed.Select(task => task.Id));
    }

    /// <summary>A report that is delivered again is recorded once, whatever has happened since; a stranger's is not.</summary>
    [Fact]
    public async Task Reports_of_a_batch_stand_alone()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([.. "abc".Select(id => Checked.Definition(Task($"{id}", 2)))], OnConflict.Fail, default);
        var claimed = await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 3, 1_000_000), default);
        var reports = claimed.Select(task => Report(task, 0, StageOutcome.Completed(Json.Of("1")))).ToList();
        reports[1] = reports[1] with { Claim = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) };

        Assert.Equal([ReportAnswer.Recorded, ReportAnswer.Superseded, ReportAnswer.Recorded], await opened.Store.RecordAsync(reports, default));
        Assert.Equal([ReportAnswer.Recorded, ReportAnswer.Superseded, ReportAnswer.Recorded], await opened.Store.RecordAsync(reports, default));
        await RecordAsync(opened, claimed[0], 1, StageOutcome.Completed(Json.Of("2")));
        Assert.Equal(ReportAnswer.Recorded, (await opened.Store.RecordAsync([reports[0]], default))[0]);
        Assert.Equal(["1", "2"], (await opened.Store.GetAsync("a", default))!.Result.Texts());
        Assert.Empty((await opened.Store.GetAsync("b", default))!.Result);
        Assert.Equal([claimed[0].Claim], await opened.Store.FindLostClaimsAsync([.. claimed.Select(task => new HeldClaim(task.Id, task.Claim))], default));
    }

    /// <summary>A report that is delivered again beside a later one of the same task still meets what it has done itself.</summary>
    [Fact]
    public async Task Reports_about_one_task_are_decided_in_their_order()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([Checked.Definition(Task("t", 1) with { MaxRetries = 1, RetryDelay = TimeSpan.Zero })], OnConflict.Fail, default);
        var first = Report(
            Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 1, 1), default)), 0, StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom")));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([first], default));
        await opened.Store.RequeueFailedAsync(1, default);
        var second = Report(Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 1, 1), default)), 0, StageOutcome.Completed(Json.Of("1")));

        Assert.Equal([ReportAnswer.Recorded, ReportAnswer.Recorded], await opened.Store.RecordAsync([first, second], default));
        Assert.Equal(TaskState.Finished, (await opened.Store.GetAsync("t", default))!.State);
    }

    /// <summary>A hint about a queued task may be about its app, and one about an end about the task: what it names includes them, or is any.</summary>
    [Fact]
    public async Task A_hint_names_what_it_is_about_or_anything()
    {
        await using var opened = await OpenAsync();
        var hints = new System.Collections.Concurrent.ConcurrentQueue<StoreHint>();
        using var listening = opened.Store.Listen(hints.Enqueue);
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("t", 1) with { AppName = "shop" }), Checked.Definition(Task("u", 1) with { AppName = "mail" })], OnConflict.Fail, default);
        await HintedAsync(hint => hint.MayQueue(["shop"]));
        await HintedAsync(hint => hint.MayQueue(["mail"]));

        await opened.Store.CancelAsync("t", default);
        await HintedAsync(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended) && hint.TaskIds.MayContain("t"));

        await opened.Store.ResetAsync("t", default);
        hints.Clear();
        await opened.Store.QueueDueAsync(1, default);
        await HintedAsync(hint => hint.MayQueue(["shop"]));
        var claimed = Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor with { Apps = ["mail"] }, 1, 1), default));
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await HintedAsync(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended) && hint.TaskIds.MayContain("u"));

        // A hint may come after the answer.
        async Task HintedAsync(Func<StoreHint, bool> isMeant)
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
            while (!hints.Any(isMeant))
            {
                bound.Token.ThrowIfCancellationRequested();
                await System.Threading.Tasks.Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        }
    }

    /// <summary>Many runs are asked about at once, and only those answered for that have ended, are not current, or never were.</summary>
    [Fact]
    public async Task Runs_that_have_ended_are_found_among_many()
    {
        await using var opened = await OpenAsync();
        var definitions = Enumerable.Range(0, 1_000).Select(i => Checked.Definition(Task($"t{i}", 1) with { RunAt = TaskDefinition.OnDemand })).ToList();
        await opened.Store.CreateAsync(definitions, OnConflict.Fail, default);
        var runs = (await ListAsync(opened, new TaskQuery())).Select(task => new AwaitedRun(task.Id, task.JobId)).ToList();
        Assert.Empty(await opened.Store.FindEndedRunsAsync(runs, default));
        Assert.Empty(await opened.Store.FindEndedRunsAsync([], default));

        await opened.Store.CancelAsync(runs[7].TaskId, default);
        await opened.Store.ResetAsync(runs[500].TaskId, default);
        await opened.Store.DeleteAsync(runs[999].TaskId, default);

        var ended = await opened.Store.FindEndedRunsAsync(runs, default);
        Assert.Equal([runs[7], runs[500], runs[999]], ended.OrderBy(runs.IndexOf));
    }

    /// <summary>Notifications of long ago are deleted, the oldest first, and no more at once than was asked for.</summary>
    [Fact]
    public async Task Old_notifications_are_deleted()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 4; i++)
        {
            await opened.Store.CreateAsync([Checked.Definition(Task($"t{i}", 1) with { Notify = true, UserId = "u" })], OnConflict.Fail, default);
            await opened.Store.CancelAsync($"t{i}", default);
            await opened.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(2, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(1, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(0, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(["t3"], (await opened.Store.ListNotificationsAsync(new NotificationQuery { UserId = "u" }, 10, default)).Notifications.Select(left => left.TaskId));
        Assert.Equal(["t3"], (await opened.Store.ListUndeliveredAsync(10, default)).Select(left => left.TaskId));
    }

    /// <summary>
    /// An occurrence that ran, or that was cancelled before its time, does not come again: not by a reset, not by another schedule, and
    /// not on a clock that was put back.
    /// </summary>
    [Fact]
    public async Task The_greatest_occurrence_so_far_decides_what_comes_next()
    {
        await using var opened = await OpenAsync();
        var definition = Checked.Definition(Task("t", 1) with { Cron = "* * * * *" });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        await opened.Advance(TimeSpan.FromMinutes(1));
        await RunDueAsync(opened);
        Assert.Equal(Minute(2), (await opened.Store.GetAsync("t", default))!.NextRun);

        // The second minute is left out.
        await opened.Store.CancelAsync("t", default);
        await opened.Store.RestartPeriodicAsync(1, default);
        Assert.Equal(Minute(3), (await opened.Store.GetAsync("t", default))!.NextRun);
        if (opened.PutBack is { } putBack)
        {
            await putBack(TimeSpan.FromMinutes(10));
        }

        await opened.Store.ResetAsync("t", default);
        await RunDueAsync(opened);
        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((Minute(2), Minute(3)), (task.Occurrence, task.NextRun));

        await opened.Store.UpdateAsync(definition with { Cron = "*/1 * * * *" }, 0, default);
        Assert.Equal(Minute(3), (await opened.Store.GetAsync("t", default))!.NextRun);

        static DateTimeOffset Minute(int minute) => new DateTimeOffset(2024, 6, 15, 12, 0, 0, TimeSpan.Zero).AddMinutes(minute);
    }

    /// <summary>The runs that a task keeps have their results, and those that it does not are gone.</summary>
    [Fact]
    public async Task Earlier_runs_keep_their_results()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([Checked.Definition(Task("t", 2))], OnConflict.Fail, default);
        for (var run = 0; run < 5; run++)
        {
            await opened.Store.QueueDueAsync(1, default);
            var claimed = Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 1, 1), default));
            await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of($"{run}")));
            await RecordAsync(opened, claimed, 1, StageOutcome.Completed(Json.Of($"{run + 100}")));
            await opened.Store.ResetAsync("t", default);
        }

        var runs = await opened.Store.ListRunsAsync("t", default);
        Assert.Equal([["4", "104"], ["3", "103"], ["2", "102"]], runs.Select(run => run.Result.Texts()));
        Assert.Equal(["3", "103"], (await opened.Store.GetRunAsync("t", runs[1].JobId, default))!.Result.Texts());
        Assert.Empty((await opened.Store.GetAsync("t", default))!.Result);
    }

    /// <summary>As long as a dead executor holds tasks it is known, so that the rest of them is found too.</summary>
    [Fact]
    public async Task A_dead_executor_is_forgotten_with_its_last_task()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            await opened.Store.CreateAsync([Checked.Definition(Task($"t{i}", 1))], OnConflict.Fail, default);
        }

        Assert.Equal(3, (await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 3, long.MaxValue), default)).Count);
        await opened.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(2, (await opened.Store.ExpelDeadExecutorsAsync(2, default)).Count);
        Assert.Equal([_executor.Id], (await opened.Store.ListExecutorsAsync(default)).Select(executor => executor.ExecutorId));
        Assert.Single(await opened.Store.ExpelDeadExecutorsAsync(2, default));
        Assert.Empty(await opened.Store.ListExecutorsAsync(default));
        Assert.All(await ListAsync(opened, new TaskQuery()), task => Assert.Equal(1, task.Managed.Interruptions));
    }

    /// <summary>Executors and managers on many threads finish every task once, and lose none.</summary>
    [Fact]
    public async Task Many_callers_at_once_lose_and_double_nothing()
    {
        const int Tasks = 200;
        await using var opened = await OpenAsync();
        var recorded = new System.Collections.Concurrent.ConcurrentBag<(string Id, int Stage)>();
        var finished = 0;

        async Task Execute(int number)
        {
            var me = _executor with { Id = $"e{number}" };
            var reports = 0;
            while (Volatile.Read(ref finished) < Tasks)
            {
                foreach (var task in await opened.Queue.ClaimAsync(new ClaimRequest(me, 7, long.MaxValue), default))
                {
                    for (var stage = task.Stage; stage < task.Stages; stage++)
                    {
                        var fails = task.Attempt < 3 && reports++ % 5 == 0;
                        var outcome = fails ? StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom")) : StageOutcome.Completed(Json.Of($"\"{task.Id}/{stage}\""));
                        if ((await opened.Store.RecordAsync([Report(task, stage, outcome)], default))[0] == ReportAnswer.Superseded || fails)
                        {
                            break;
                        }

                        recorded.Add((task.Id, stage));
                        if (stage == task.Stages - 1)
                        {
                            Interlocked.Increment(ref finished);
                        }
                    }
                }

                if (number == 0)
                {
                    await opened.Store.SuspendExecutorAsync("e1", default);
                }
            }
        }

        async Task Manage()
        {
            while (Volatile.Read(ref finished) < Tasks)
            {
                await opened.Store.QueueDueAsync(10, default);
                await opened.Store.RequeueFailedAsync(10, default);
            }
        }

        var running = Enumerable.Range(0, 4).Select(number => System.Threading.Tasks.Task.Run(() => Execute(number)))
            .Append(System.Threading.Tasks.Task.Run(Manage)).Append(System.Threading.Tasks.Task.Run(Manage)).ToList();
        for (var i = 0; i < Tasks; i++)
        {
            var definition = Checked.Definition(Task($"t{i:000}", 3) with { MaxRetries = 10, RetryDelay = TimeSpan.Zero, Notify = true });
            await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        }

        await System.Threading.Tasks.Task.WhenAll(running).WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(Tasks * 3, recorded.Distinct().Count());
        Assert.Equal(Tasks * 3, recorded.Count);
        var all = await ListAsync(opened, new TaskQuery());
        Assert.Equal(Tasks, all.Count);
        Assert.All(all, task => Assert.Equal([$"\"{task.Id}/0\"", $"\"{task.Id}/1\"", $"\"{task.Id}/2\""], task.Result.Texts()));
        var left = await opened.Store.ListNotificationsAsync(new NotificationQuery(), 9_999, default);
        Assert.Equal(Tasks, left.Notifications.Count(notification => notification.State == TaskState.Finished));
    }

    private static TaskDefinition Task(string id, int stages) =>
        new() { Id = id, Commands = [.. Enumerable.Range(0, stages).Select(_ => new TaskCommand("do"))] };

    private static StageReport Report(ExecutorTask task, int stage, StageOutcome outcome) =>
        new() { TaskId = task.Id, StoreKey = task.StoreKey, Claim = task.Claim, JobId = task.JobId, Attempt = task.Attempt, Stage = stage, Outcome = outcome };

    private static async Task RecordAsync(OpenedStore opened, ExecutorTask task, int stage, StageOutcome outcome) =>
        Assert.Equal(ReportAnswer.Recorded, Assert.Single(await opened.Store.RecordAsync([Report(task, stage, outcome)], default)));

    private static async Task RunDueAsync(OpenedStore opened)
    {
        await opened.Store.QueueDueAsync(1, default);
        var claimed = Assert.Single(await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 1, 1), default));
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await opened.Store.RestartPeriodicAsync(1, default);
    }

    private static async Task<List<TaskRecord>> ListAsync(OpenedStore opened, TaskQuery query)
    {
        var tasks = new List<TaskRecord>();
        TaskCursor? after = null;
        do
        {
            var page = await opened.Store.ListAsync(query, after, 70, default);
            tasks.AddRange(page.Tasks);
            after = page.Next;
        }
        while (after is not null);
        return tasks;
    }

    private ValueTask<OpenedStore> OpenAsync() => open(new LifecycleRules { KeptRuns = 3 }, _start);
}
