using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Retries by hand.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreRetryTests(OpenStore open) : StoreSuite(open)
{
    private static readonly TaskError _boom = TaskError.Create("boom", "It failed.");

    /// <summary>The run keeps its id, its pass and its results, and its budget begins anew.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_failed_for_good_goes_on_at_its_stage(bool isCancelled)
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        await CreateAsync(opened, Task("t", 3) with { MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(1) });
        var first = await ClaimAsync(opened, "t");
        await RecordAsync(opened, first, 0, StageOutcome.Completed(Json.Of("\"kept\"")));
        await EndAsync(opened, first, 1, isCancelled);
        await opened.Advance(TimeSpan.FromSeconds(1));
        if (!isCancelled)
        {
            await store.RequeueFailedAsync(1, default);
            await EndAsync(opened, await ClaimAsync(opened, "t"), 1, isCancelled);
        }

        var attempt = isCancelled ? 2 : 3;
        Assert.Equal(RetryResult.Retried, await store.RetryAsync("t", default));
        var task = (await store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Queued, 1, first.JobId), (task.State, task.Stage, task.JobId));
        Assert.Equal((attempt, 0, 0), (task.Attempt, task.Retries, task.Managed.StageRetries));
        Assert.Null(task.Error);

        var claimed = await ClaimAsync(opened, "t");
        Assert.Equal((first.JobId, 0, 1, attempt), (claimed.JobId, claimed.Pass, claimed.Stage, claimed.Attempt));
        Assert.Equal("\"kept\"", Assert.Single(claimed.Result).GetRawText());
        await RecordAsync(opened, claimed, 1, StageOutcome.Failed(_boom));
        Assert.NotNull((await store.GetAsync("t", default))!.RetryAt);
        await store.CancelAsync("t", default);
        Assert.Equal(
            isCancelled ? [1, 2] : [1, 1, 2, 3],
            (await store.GetStagesAsync("t", default)).Select(entry => entry.Attempt));
        Assert.Equal(attempt - 1, (await store.GetRunAsync("t", first.JobId, default))!.Retries);
    }

    /// <summary>A retry that was to come later is made now, and counts like any other.</summary>
    [Theory]
    [InlineData(RestartPolicy.Current, 1, 0)]
    [InlineData(RestartPolicy.First, 0, 1)]
    public async Task A_retry_to_come_is_made_at_once(RestartPolicy policy, int stage, int pass)
    {
        await using var opened = await OpenAsync();
        var task = Task("t", 2) with
        {
            MaxRetries = 1,
            RestartPolicy = policy,
            RetryDelay = TimeSpan.FromHours(1),
        };
        await CreateAsync(opened, task);
        var claimed = await ClaimAsync(opened, "t");
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await RecordAsync(opened, claimed, 1, StageOutcome.Failed(_boom));

        Assert.Equal(RetryResult.Retried, await opened.Store.RetryAsync("t", default));
        var state = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Queued, stage, pass), (state.State, state.Stage, state.Managed.Pass));
        Assert.Equal((1, 2), (state.Retries, state.Attempt));
    }

    /// <summary>Each state that cannot be retried has its answer, and does not change.</summary>
    [Fact]
    public async Task Other_tasks_are_refused_with_a_reason()
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        await CreateAsync(
            opened,
            Task("queued", 1),
            Task("idle", 1) with { RunAt = TaskDefinition.OnDemand },
            Task("executing", 1),
            Task("finished", 1),
            Task("disabled", 1),
            Task("shorter", 2),
            Task("reset", 1) with { Cron = "* * * * *" });
        await ClaimAsync(opened, "executing");
        await RecordAsync(opened, await ClaimAsync(opened, "finished"), 0, StageOutcome.Completed(Json.Of("1")));
        await store.CancelAsync("disabled", default);
        await store.UpdateAsync(Checked.Definition(Task("disabled", 1) with { Enabled = false }), 0, default);
        var shorter = await ClaimAsync(opened, "shorter");
        await RecordAsync(opened, shorter, 0, StageOutcome.Completed(Json.Of("1")));
        await store.CancelAsync("shorter", default);
        await store.UpdateAsync(Checked.Definition(Task("shorter", 1)), 0, default);
        await store.CancelAsync("reset", default);
        await store.ResetAsync("reset", default);

        Assert.Equal(RetryResult.NotFound, await store.RetryAsync("missing", default));
        await RefusesAsync("queued", RetryResult.UnderWay);
        await RefusesAsync("idle", RetryResult.NotFailed);
        await RefusesAsync("executing", RetryResult.UnderWay);
        await RefusesAsync("finished", RetryResult.NotFailed);
        await RefusesAsync("disabled", RetryResult.Disabled);
        await RefusesAsync("shorter", RetryResult.NoSuchStage);
        await RefusesAsync("reset", RetryResult.NotFailed);

        async Task RefusesAsync(string id, RetryResult reason)
        {
            var before = await store.GetAsync(id, default);
            Assert.Equal(reason, await store.RetryAsync(id, default));
            Assert.Equal(before!.ToJson(), (await store.GetAsync(id, default))!.ToJson());
        }
    }

    /// <summary>
    /// The archived run is current again; the occurrence that was waiting runs after it, neither skipped nor twice.
    /// </summary>
    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(150, false)]
    public async Task The_last_run_of_a_waiting_periodic_task_goes_on(int seconds, bool failsAgain)
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        await CreateAsync(opened, Task("t", 2) with { Cron = "* * * * *" });
        await opened.Advance(TimeSpan.FromMinutes(1));
        await store.QueueDueAsync(1, default);
        var first = await ClaimAsync(opened, "t");
        await RecordAsync(opened, first, 0, StageOutcome.Completed(Json.Of("\"kept\"")));
        await RecordAsync(opened, first, 1, StageOutcome.Failed(_boom));
        await store.RestartPeriodicAsync(1, default);
        var waiting = (await store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Idle, Minute(2)), (waiting.State, waiting.NextRun));
        Assert.Single(await store.ListRunsAsync("t", default));

        Assert.Equal(RetryResult.Retried, await store.RetryAsync("t", default));
        var task = (await store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Queued, 1, first.JobId), (task.State, task.Stage, task.JobId));
        Assert.Equal((2, Minute(1), Minute(2)), (task.Attempt, task.Occurrence, task.NextRun));
        Assert.Empty(await store.ListRunsAsync("t", default));

        await opened.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Empty(await store.QueueDueAsync(1, default));
        var again = await ClaimAsync(opened, "t");
        Assert.Equal("\"kept\"", Assert.Single(again.Result).GetRawText());
        await RecordAsync(
            opened, again, 1, failsAgain ? StageOutcome.Failed(_boom) : StageOutcome.Completed(Json.Of("2")));
        Assert.Equal(Minute(2), (await store.GetAsync("t", default))!.NextRun);
        await store.RestartPeriodicAsync(1, default);

        var next = (await store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Idle, Minute(2), 0L), (next.State, next.NextRun, next.Skipped));
        Assert.NotEqual(first.JobId, next.JobId);
        var run = Assert.Single(await store.ListRunsAsync("t", default));
        Assert.Equal((first.JobId, 1, failsAgain ? 1 : 2), (run.JobId, run.Retries, run.Result.Count));
        await opened.Advance(TimeSpan.FromMinutes(3));
        Assert.Single(await store.QueueDueAsync(1, default));
        Assert.Equal(Minute(2), (await store.GetAsync("t", default))!.Occurrence);
        var claimed = await ClaimAsync(opened, "t");
        Assert.Equal((1, 0), (claimed.Attempt, claimed.Result.Count));
    }

    /// <summary>A run whose outcome is not kept any more cannot be resumed.</summary>
    [Fact]
    public async Task A_run_that_is_not_kept_is_refused()
    {
        await using var opened = await OpenAsync(new LifecycleRules { KeptRuns = 0 });
        await CreateAsync(opened, Task("t", 1) with { Cron = "* * * * *" });
        await opened.Advance(TimeSpan.FromMinutes(1));
        await opened.Store.QueueDueAsync(1, default);
        await RecordAsync(opened, await ClaimAsync(opened, "t"), 0, StageOutcome.Failed(_boom));
        await opened.Store.RestartPeriodicAsync(1, default);

        Assert.Equal(RetryResult.NotKept, await opened.Store.RetryAsync("t", default));
        Assert.Equal(TaskState.Idle, (await opened.Store.GetAsync("t", default))!.State);
    }

    /// <summary>An occurrence of an old schedule does not run after the retried run.</summary>
    [Fact]
    public async Task A_new_schedule_replaces_the_waiting_occurrence()
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        var hourly = Task("t", 1) with { Cron = "0 * * * *" };
        await CreateAsync(opened, hourly);
        await opened.Advance(TimeSpan.FromHours(1));
        await store.QueueDueAsync(1, default);
        await RecordAsync(opened, await ClaimAsync(opened, "t"), 0, StageOutcome.Failed(_boom));
        await store.RestartPeriodicAsync(1, default);
        await store.RetryAsync("t", default);

        await store.UpdateAsync(Checked.Definition(hourly with { Cron = "30 * * * *" }), 0, default);
        await RecordAsync(opened, await ClaimAsync(opened, "t"), 0, StageOutcome.Completed(Json.Of("1")));
        await store.RestartPeriodicAsync(1, default);

        Assert.Equal(Minute(90), (await store.GetAsync("t", default))!.NextRun);
    }

    /// <summary>
    /// The results before the stage move to a new pass, the later ones stay as history, and the changes reach the
    /// executor by every way of claiming.
    /// </summary>
    [Theory]
    [InlineData(null, true)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    public async Task A_retry_with_changes_begins_a_new_pass(int? from, bool byQueue)
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        await CreateAsync(opened, Task("t", 3) with { KwsJson = Json.Of("""{"a":1}""") });
        var first = await ClaimAsync(opened, "t");
        await RecordAsync(opened, first, 0, StageOutcome.Completed(Json.Of("0")));
        await RecordAsync(opened, first, 1, StageOutcome.Completed(Json.Of("1")));
        await RecordAsync(opened, first, 2, StageOutcome.Failed(_boom));

        var change = new RetryChange
        {
            FromStage = from,
            Params = Json.Of("""{"id":7}"""),
            Kws = Json.Of("""{"b":2}"""),
        };
        Assert.Equal(RetryResult.Retried, await store.RetryAsync("t", change, CallContext.Empty, default));

        var stage = from ?? 2;
        var task = (await store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Queued, stage, 1, 2), (task.State, task.Stage, task.Managed.Pass, task.Attempt));
        Assert.Equal(stage, task.Result.Count);
        Assert.Equal("""{"a":1}""", task.Definition.KwsJson.GetRawText());
        Assert.Equal(
            Enumerable.Range(0, 3).Select(place => (place < stage ? 1 : 0, place)).Order(),
            (await store.GetStagesAsync("t", default)).Select(entry => (entry.Pass, entry.Stage)));

        var claimed = byQueue
            ? Assert.Single(await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = long.MaxValue }, default))
            : await ClaimAsync(opened, "t");
        Assert.Equal((1, stage, stage), (claimed.Pass, claimed.Stage, claimed.Result.Count));
        Assert.Equal("""{"id":7}""", claimed.Commands[0].ParamsJson.GetRawText());
        Assert.Equal("""{"b":2}""", claimed.Kws.GetRawText());
        for (var place = stage; place < 3; place++)
        {
            await RecordAsync(opened, claimed, place, StageOutcome.Completed(Json.Of($"1{place}")));
        }

        var run = (await store.GetRunAsync("t", first.JobId, default))!;
        Assert.Equal(
            Enumerable.Range(0, 3).Select(place => place < stage ? $"{place}" : $"1{place}"),
            run.Result.Select(result => result.GetRawText()));
    }

    /// <summary>Changes stay for the rest of their run, add up, and are gone with the next run.</summary>
    [Fact]
    public async Task Changes_hold_for_their_run_only()
    {
        await using var opened = await OpenAsync();
        var store = opened.Store;
        await CreateAsync(opened, Task("t", 2));
        await store.CancelAsync("t", default);
        await store.RetryAsync("t", new RetryChange { Params = Json.Of("[1]") }, CallContext.Empty, default);
        await store.CancelAsync("t", default);
        await store.RetryAsync("t", new RetryChange { Kws = Json.Of("""{"b":2}""") }, CallContext.Empty, default);
        await store.CancelAsync("t", default);
        Assert.Equal(RetryResult.Retried, await store.RetryAsync("t", default));

        var changed = (await store.GetAsync("t", default))!;
        Assert.Equal("""{"kws":{"b":2},"params":{"0":[1]}}""", changed.Managed.Changes!.ToJson());
        Assert.Equal(changed.Managed.Changes, TaskRecord.FromJson(changed.ToJson()).Managed.Changes);
        var claimed = await ClaimAsync(opened, "t");
        Assert.Equal(("[1]", """{"b":2}"""), (claimed.Commands[0].ParamsJson.GetRawText(), claimed.Kws.GetRawText()));

        await store.ResetAsync("t", default);
        await store.QueueDueAsync(1, default);
        Assert.Null((await store.GetAsync("t", default))!.Managed.Changes);
        Assert.Equal("{}", (await ClaimAsync(opened, "t")).Kws.GetRawText());
    }

    /// <summary>A stage that the run has not reached is refused, whatever the definition has.</summary>
    [Fact]
    public async Task A_stage_after_the_failed_one_is_refused()
    {
        await using var opened = await OpenAsync();
        await CreateAsync(opened, Task("t", 3));
        var claimed = await ClaimAsync(opened, "t");
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("0")));
        await RecordAsync(opened, claimed, 1, StageOutcome.Failed(_boom));

        Assert.Equal(
            RetryResult.NoSuchStage,
            await opened.Store.RetryAsync("t", new RetryChange { FromStage = 2 }, CallContext.Empty, default));
        Assert.Equal(
            RetryResult.NoSuchStage,
            await opened.Store.RetryAsync("t", new RetryChange { FromStage = -1 }, CallContext.Empty, default));
        Assert.Equal(TaskState.Failed, (await opened.Store.GetAsync("t", default))!.State);
    }

    /// <summary>A retried task is held like any task that is queued.</summary>
    [Fact]
    public async Task The_hold_of_a_retried_task_is_decided_anew()
    {
        await using var opened = await OpenAsync();
        await CreateAsync(opened, Task("t", 1));
        await opened.Store.CancelAsync("t", default);
        await opened.Store.PauseAsync(new TaskPause { Method = "do", Reason = "a test" }, CallContext.Empty, default);

        Assert.Equal(RetryResult.Retried, await opened.Store.RetryAsync("t", default));
        Assert.Equal(TaskHold.Paused, (await opened.Store.GetAsync("t", default))!.Managed.Hold);
    }

    private static DateTimeOffset Minute(int minute) =>
        new DateTimeOffset(2024, 6, 15, 12, 0, 0, TimeSpan.Zero).AddMinutes(minute);

    private static async Task CreateAsync(OpenedStore opened, params TaskDefinition[] tasks) =>
        await opened.Store.CreateAsync([.. tasks.Select(Checked.Definition)], OnConflict.Fail, default);

    private static async Task<ExecutorTask> ClaimAsync(OpenedStore opened, string id) =>
        Assert.Single(await opened.Store.ClaimAsync(Executor, [id], default));

    private static async Task EndAsync(OpenedStore opened, ExecutorTask claimed, int stage, bool isCancelled)
    {
        if (isCancelled)
        {
            Assert.True(await opened.Store.CancelAsync(claimed.Id, default));
        }
        else
        {
            await RecordAsync(opened, claimed, stage, StageOutcome.Failed(_boom));
        }
    }
}
