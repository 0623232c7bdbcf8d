using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <content>What one task sets off in another.</content>
public abstract partial class TaskStoreTests
{
    /// <summary>
    /// A periodic task whose run ends in the same call, or by the same duty, is started by the task before it, as on its own.
    /// </summary>
    [Theory]
    [InlineData("reports", true)]
    [InlineData("reports", false)]
    [InlineData("duty", true)]
    public async Task A_next_task_that_ends_together_with_the_one_before_is_started(string by, bool withStoreKey)
    {
        await using var opened = await OpenAsync();
        var next = Checked.Definition(Task("next", 1) with { Cron = "* * * * *" });
        var first = Checked.Definition(Task("first", 1) with { NextTask = "next" });
        await opened.Store.CreateAsync([next, first], OnConflict.Fail, default);
        var now = await opened.Advance(TimeSpan.FromMinutes(1));
        await opened.Store.QueueDueAsync(1, default);
        var claimed = await opened.Queue.ClaimAsync(new ClaimRequest(_executor, 2, long.MaxValue), default);
        var outcome = by == "duty"
            ? StageOutcome.WaitFor(TimeSpan.FromSeconds(1))
            : StageOutcome.Completed(Json.Of("1"));
        var reports = claimed
            .OrderByDescending(task => task.Id)
            .Select(task => Report(withStoreKey ? task : task with { StoreKey = 0 }, 0, outcome))
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
}
