using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The common base of the suites for stores.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreSuite(OpenStore open)
{
    private protected static readonly ExecutorInfo Executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 100,
    };

    private protected static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    private protected static TaskDefinition Task(string id, int stages) =>
        new() { Id = id, Commands = [.. Enumerable.Range(0, stages).Select(_ => new TaskCommand("do"))] };

    private protected static StageReport Report(ExecutorTask task, int stage, StageOutcome outcome) =>
        new()
        {
            TaskId = task.Id,
            StoreKey = task.StoreKey,
            Claim = task.Claim,
            JobId = task.JobId,
            Attempt = task.Attempt,
            Stage = stage,
            Outcome = outcome,
        };

    private protected static async Task RecordAsync(
        OpenedStore opened, ExecutorTask task, int stage, StageOutcome outcome) =>
        Assert.Equal(
            ReportAnswer.Recorded,
            Assert.Single(await opened.Store.RecordAsync([Report(task, stage, outcome)], default)));

    private protected static async Task RunDueAsync(OpenedStore opened)
    {
        await opened.Store.QueueDueAsync(1, default);
        var claimed = Assert.Single(
            await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = 1 }, default));
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await opened.Store.RestartPeriodicAsync(1, default);
    }

    private protected static async Task<List<TaskRecord>> ListAsync(OpenedStore opened, TaskQuery query)
    {
        var tasks = new List<TaskRecord>();
        TaskCursor? after = null;
        do
        {
            var page = await opened.Store.ListAsync(query, after, 70, default);
            tasks.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        return tasks;
    }

    private protected ValueTask<OpenedStore> OpenAsync() => OpenAsync(new LifecycleRules { KeptRuns = 3 });

    private protected ValueTask<OpenedStore> OpenAsync(LifecycleRules rules) => open(rules, Start);
}
