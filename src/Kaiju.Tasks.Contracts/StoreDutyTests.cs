using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Duties of managers: periodic tasks, chains and dead executors.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreDutyTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>
    /// An occurrence that ran, or that was cancelled before its time, is not repeated. A reset, another schedule or a
    /// clock that was put back does not change that.
    /// </summary>
    [Fact]
    public async Task The_greatest_occurrence_so_far_determines_the_next_one()
    {
        await using var opened = await OpenAsync();
        var definition = Checked.Definition(Task("t", 1) with { Cron = "* * * * *" });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        await opened.Advance(TimeSpan.FromMinutes(1));
        await RunDueAsync(opened);
        Assert.Equal(Minute(2), (await opened.Store.GetAsync("t", default))!.NextRun);

        // The second minute is skipped.
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

        static DateTimeOffset Minute(int minute) =>
            new DateTimeOffset(2024, 6, 15, 12, 0, 0, TimeSpan.Zero).AddMinutes(minute);
    }

    /// <summary>
    /// A finished task also starts a periodic next task whose run ends in the same call or by the same duty.
    /// </summary>
    [Theory]
    [InlineData("reports", true)]
    [InlineData("reports", false)]
    [InlineData("duty", true)]
    public async Task A_next_task_that_ends_in_the_same_step_is_started(string by, bool withStoreKey)
    {
        await using var opened = await OpenAsync();
        var next = Checked.Definition(Task("next", 1) with { Cron = "* * * * *" });
        var first = Checked.Definition(Task("first", 1) with { NextTask = "next" });
        await opened.Store.CreateAsync([next, first], OnConflict.Fail, default);
        var now = await opened.Advance(TimeSpan.FromMinutes(1));
        await opened.Store.QueueDueAsync(1, default);
        var claimed = await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = Executor, MaxTasks = 2, MaxBytes = long.MaxValue }, default);
        var outcome = by == "duty"
            ? StageOutcome.WaitFor(TimeSpan.FromSeconds(1))
            : StageOutcome.Completed(Json.Of("1"));
        var reports = claimed
            .OrderByDescending(task => task.Id)
            .Select(task => Report(withStoreKey ? task : task.With(t => t.StoreKey, 0), 0, outcome))
            .ToList();

        Assert.Equal(
            [ReportAnswer.Recorded, ReportAnswer.Recorded], await opened.Store.RecordAsync(reports, default));
        if (by == "duty")
        {
            now = await opened.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(2, (await opened.Store.WakeWaitsAsync(10, default)).Count);
        }

        Assert.Equal(ChainResult.Started, (await opened.Store.GetAsync("first", default))!.Chain);
        var started = (await opened.Store.GetAsync("next", default))!;
        Assert.Equal((TaskState.Idle, now), (started.State, started.NextRun));
    }

    /// <summary>A dead executor stays known as long as it holds tasks, so that all of them are found.</summary>
    [Fact]
    public async Task A_dead_executor_is_removed_with_its_last_task()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            await opened.Store.CreateAsync([Checked.Definition(Task($"t{i}", 1))], OnConflict.Fail, default);
        }

        Assert.Equal(
            3,
            (await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor, MaxTasks = 3, MaxBytes = long.MaxValue }, default)).Count);
        await opened.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(2, (await opened.Store.ExpelDeadExecutorsAsync(2, default)).Count);
        Assert.Equal(
            [Executor.Id], (await opened.Store.ListExecutorsAsync(default)).Select(executor => executor.ExecutorId));
        Assert.Single(await opened.Store.ExpelDeadExecutorsAsync(2, default));
        Assert.Empty(await opened.Store.ListExecutorsAsync(default));
        Assert.All(await ListAsync(opened, new TaskQuery()), task => Assert.Equal(1, task.Managed.Interruptions));
    }
}
