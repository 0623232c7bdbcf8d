using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Calls of executors: reports and claims.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreExecutorTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>
    /// A report that is delivered again is recorded once, even after later changes. One with a foreign claim is not
    /// recorded.
    /// </summary>
    [Fact]
    public async Task Each_report_of_a_batch_is_answered_alone()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [.. "abc".Select(id => Checked.Definition(Task($"{id}", 2)))], OnConflict.Fail, default);
        var claimed = await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = Executor, MaxTasks = 3, MaxBytes = 1_000_000 }, default);
        var reports = claimed.Select(task => Report(task, 0, StageOutcome.Completed(Json.Of("1")))).ToList();
        reports[1] = reports[1].With(r => r.Claim, new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));

        Assert.Equal(
            [ReportAnswer.Recorded, ReportAnswer.Superseded, ReportAnswer.Recorded],
            await opened.Store.RecordAsync(reports, default));
        Assert.Equal(
            [ReportAnswer.Recorded, ReportAnswer.Superseded, ReportAnswer.Recorded],
            await opened.Store.RecordAsync(reports, default));
        await RecordAsync(opened, claimed[0], 1, StageOutcome.Completed(Json.Of("2")));
        Assert.Equal(ReportAnswer.Recorded, (await opened.Store.RecordAsync([reports[0]], default))[0]);
        Assert.Equal(["1", "2"], (await opened.Store.GetAsync("a", default))!.Result.Texts());
        Assert.Empty((await opened.Store.GetAsync("b", default))!.Result);
        Assert.Equal(
            [claimed[0].Claim],
            await opened.Store.FindLostClaimsAsync(
                [.. claimed.Select(task => new HeldClaim(task.Id, task.Claim))], default));
    }

    /// <summary>
    /// A report that is delivered again together with a later one of the same task is recognised as recorded.
    /// </summary>
    [Fact]
    public async Task Reports_about_one_task_are_decided_in_their_order()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("t", 1) with { MaxRetries = 1, RetryDelay = TimeSpan.Zero })],
            OnConflict.Fail,
            default);
        var first = Report(
            Assert.Single(
                await opened.Queue.ClaimAsync(
                    new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = 1 }, default)),
            0,
            StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom")));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([first], default));
        await opened.Store.RequeueFailedAsync(1, default);
        var second = Report(
            Assert.Single(
                await opened.Queue.ClaimAsync(
                    new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = 1 }, default)),
            0,
            StageOutcome.Completed(Json.Of("1")));

        Assert.Equal(
            [ReportAnswer.Recorded, ReportAnswer.Recorded], await opened.Store.RecordAsync([first, second], default));
        Assert.Equal(TaskState.Finished, (await opened.Store.GetAsync("t", default))!.State);
    }

    /// <summary>
    /// A stage that is snoozed is queued again at the end of its wait: the same stage, in the same attempt.
    /// </summary>
    [Fact]
    public async Task A_snoozed_stage_begins_again_after_its_wait()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([Checked.Definition(Task("t", 2))], OnConflict.Fail, default);
        var first = await ClaimOneAsync(opened);
        await RecordAsync(opened, first, 0, StageOutcome.Completed(Json.Of("1")));
        var snooze = Report(first, 1, StageOutcome.Snooze(TimeSpan.FromSeconds(5)));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([snooze], default));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([snooze], default));

        Assert.Empty(await opened.Store.WakeWaitsAsync(10, default));
        await opened.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(await opened.Store.WakeWaitsAsync(10, default));
        Assert.Single(await opened.Store.QueueDueAsync(10, default));

        var again = await ClaimOneAsync(opened);
        Assert.Equal((1, 1, 0), (again.Stage, again.Attempt, again.StageRetries));
        Assert.Equal(["1"], again.Result.Texts());
        await RecordAsync(opened, again, 1, StageOutcome.Completed(Json.Of("2")));
        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Finished, 1), (task.State, task.Snoozes));
        Assert.Equal(["1", "2"], task.Result.Texts());

        static async Task<ExecutorTask> ClaimOneAsync(OpenedStore opened) => Assert.Single(
            await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = long.MaxValue }, default));
    }

    /// <summary>
    /// The retries of a stage come before those of the task, begin at the stage, and count apart. Each failure has a
    /// row of its own.
    /// </summary>
    [Fact]
    public async Task A_stage_uses_its_own_retries_before_those_of_the_task()
    {
        await using var opened = await OpenAsync();
        var definition = Task("t", 2) with
        {
            Commands = [new("do"), new("do") { MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(5) }],
            MaxRetries = 1,
            RetryDelay = TimeSpan.FromSeconds(60),
            RestartPolicy = RestartPolicy.First,
        };
        await opened.Store.CreateAsync([Checked.Definition(definition)], OnConflict.Fail, default);

        var first = await FailAsync(opened, 1);
        var second = await FailAsync(opened, 1);
        var third = await FailAsync(opened, 1);
        var last = await FailAsync(opened, 1);

        Assert.Equal(
            [(0, 0, 1, 0, 0, 5), (0, 1, 2, 0, 1, 60), (1, 0, 3, 1, 0, 5), (1, 1, 4, 1, 1, -1)],
            [first, second, third, last]);
        Assert.Equal(
            [(0, 1, 1), (0, 1, 2), (1, 1, 3), (1, 1, 4)],
            (await opened.Store.GetStagesAsync("t", default)).Where(entry => entry.Error is not null)
                .Select(entry => (entry.Pass, entry.Stage, entry.Attempt)).Order());
        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal(
            (1, 2, 1, true), (task.Retries, task.Managed.FreeRetries, task.Managed.StageRetries, task.HasEnded));
    }

    /// <summary>A failure that is final is not retried, whatever is left; a repeated report says the same.</summary>
    [Fact]
    public async Task A_final_failure_is_not_retried()
    {
        await using var opened = await OpenAsync();
        var command = new TaskCommand("do") { MaxRetries = 3 };
        var definition = Task("t", 1) with { Commands = [command], MaxRetries = 3, Notify = true };
        await opened.Store.CreateAsync([Checked.Definition(definition)], OnConflict.Fail, default);
        var claimed = Assert.Single(await opened.Store.ClaimAsync(Executor, ["t"], default));
        var error = TaskError.Create(TaskErrorKind.Handler, "no", "declined", data: Json.Of("""{"code":[402,"é"]}"""));
        var report = Report(claimed, 0, StageOutcome.Failed(error, isFinal: true));

        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([report], default));
        Assert.Equal([ReportAnswer.Recorded], await opened.Store.RecordAsync([report], default));
        await opened.Advance(TimeSpan.FromDays(1));
        Assert.Empty(await opened.Store.RequeueFailedAsync(10, default));

        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((true, (DateTimeOffset?)null, "declined"), (task.HasEnded, task.RetryAt, task.Error!.Type));
        Assert.Equal("""{"code":[402,"é"]}""", task.Error.Data.GetRawText());
        Assert.True(
            Assert.Single((await opened.Store.ListNotificationsAsync(new NotificationQuery(), null, 10, default)).Items)
                .IsFinal);
    }

    /// <summary>The delay that a report names replaces the declared one, and adds no retry.</summary>
    [Fact]
    public async Task A_failure_names_the_delay_of_its_retry()
    {
        await using var opened = await OpenAsync();
        var definition = Task("t", 1) with { MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(60) };
        await opened.Store.CreateAsync([Checked.Definition(definition)], OnConflict.Fail, default);
        var error = TaskError.Create(TaskErrorKind.Handler, "busy");
        var outcome = StageOutcome.Failed(error, retryAfter: TimeSpan.FromSeconds(7));

        await RecordAsync(opened, Assert.Single(await opened.Store.ClaimAsync(Executor, ["t"], default)), 0, outcome);
        await opened.Advance(TimeSpan.FromSeconds(7) - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await opened.Store.RequeueFailedAsync(10, default));
        await opened.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Single(await opened.Store.RequeueFailedAsync(10, default));

        await RecordAsync(opened, Assert.Single(await opened.Store.ClaimAsync(Executor, ["t"], default)), 0, outcome);
        Assert.True((await opened.Store.GetAsync("t", default))!.HasEnded);
    }

    /// <summary>
    /// Runs the task up to a stage and fails it there. Returns the claim's counts and the seconds to the retry, which
    /// is queued; -1 without one.
    /// </summary>
    private static async Task<(int Pass, int Stage, int Attempt, int Retries, int StageRetries, int Delay)> FailAsync(
        OpenedStore opened, int stage)
    {
        var claimed = Assert.Single(await opened.Store.ClaimAsync(Executor, ["t"], default));
        for (var done = claimed.Stage; done < stage; done++)
        {
            await RecordAsync(opened, claimed, done, StageOutcome.Completed(Json.Of("1")));
        }

        var error = TaskError.Create(TaskErrorKind.Handler, "boom");
        await RecordAsync(opened, claimed, stage, StageOutcome.Failed(error));
        var task = (await opened.Store.GetAsync("t", default))!;
        var delay = task.RetryAt - task.StatusChange;
        if (delay is { } time)
        {
            await opened.Advance(time);
            Assert.Single(await opened.Store.RequeueFailedAsync(10, default));
        }

        return (
            claimed.Pass,
            claimed.Stage,
            claimed.Attempt,
            claimed.Retries,
            claimed.StageRetries,
            (int?)delay?.TotalSeconds ?? -1);
    }

    /// <summary>
    /// Claims that an executor holds and does not list are found, and given back one by one; others do not change.
    /// </summary>
    [Fact]
    public async Task Stray_claims_are_found_and_given_back_one_by_one()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [.. "abcd".Select(id => Checked.Definition(Task($"{id}", 2)))], OnConflict.Fail, default);
        var own = (await opened.Store.ClaimAsync(Executor, ["a", "b", "c"], default)).ToDictionary(
            task => task.Id, task => new HeldClaim(task.Id, task.Claim));
        var other = Assert.Single(await opened.Store.ClaimAsync(Executor.With(e => e.Id, "other"), ["d"], default));

        Assert.Equal(
            [own["b"], own["c"]],
            (await opened.Store.FindStrayClaimsAsync(Executor.Id, [own["a"]], 10, default)).OrderBy(
                claim => claim.TaskId, StringComparer.Ordinal));
        Assert.Single(await opened.Store.FindStrayClaimsAsync(Executor.Id, [], 1, default));
        Assert.Empty(await opened.Store.FindStrayClaimsAsync(Executor.Id, [.. own.Values], 10, default));
        Assert.Empty(await opened.Store.FindStrayClaimsAsync("unknown", [], 10, default));

        HeldClaim[] asked = [
            own["b"],
            own["c"] with { Claim = own["a"].Claim },
            new HeldClaim("d", other.Claim),
            new HeldClaim("none", Guid.Empty)];
        Assert.Equal(
            [new TaskMove { TaskId = "b", AppName = "default", JobId = (await opened.Store.GetAsync(
                "b", default))!.JobId, From = TaskState.Executing, To = TaskState.Suspended }],
            await opened.Store.GiveBackClaimsAsync(Executor.Id, asked, default));
        Assert.Empty(await opened.Store.GiveBackClaimsAsync(Executor.Id, asked, default));
        Assert.Equal(0, (await opened.Store.GetAsync("b", default))!.Managed.Interruptions);
        Assert.Equal(
            [TaskState.Executing, TaskState.Executing, TaskState.Executing],
            await System.Threading.Tasks.Task.WhenAll(
                "acd".Select(async id => (await opened.Store.GetAsync($"{id}", default))!.State)));
    }
}
