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
