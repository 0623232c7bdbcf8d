using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Fills a store with a task in every state and a row in every table, describes its contents, and completes its work.
/// </summary>
internal static class UpgradedStore
{
    public static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 100,
    };
    private static readonly ExecutorInfo _leaver = _executor.With(e => e.Id, "leaver");
    private static readonly string[] _ids = [
        "idle",
        "queued",
        "executed",
        "suspended",
        "waiting",
        "finished",
        "failed",
        "retried",
        "periodic",
        "chain",
        "next"];

    private static readonly TaskDefinitionChecker _checker = new ServiceCollection()
        .AddLogging().AddKaijuTasks().AddCommand("do", () => 1)
        .Services.BuildServiceProvider().GetRequiredService<TaskDefinitionChecker>();

    public static async Task FillAsync(ITaskStore store, Action<TimeSpan> advance)
    {
        await store.CreateAsync([.. _ids.Select(Definition)], OnConflict.Fail, default);
        advance(TimeSpan.FromSeconds(1));
        var claimed = await ClaimAsync(store, _executor, "waiting", "finished", "failed", "retried", "chain");
        await ReportAsync(store, claimed["waiting"], 0, StageOutcome.WaitForMessage(TimeSpan.FromHours(1)));
        await ReportAsync(store, claimed["finished"], 0, Done(1));
        await ReportAsync(store, claimed["finished"], 1, Done(2));
        await ReportAsync(store, claimed["failed"], 0, Failed());
        await ReportAsync(store, claimed["retried"], 0, Failed());
        await ReportAsync(store, claimed["chain"], 0, Done(1));
        await store.ResetAsync("finished", default);
        await store.QueueDueAsync(100, default);
        claimed = await ClaimAsync(store, _executor, "finished");
        await ReportAsync(store, claimed["finished"], 0, Done(3));
        await ReportAsync(store, claimed["finished"], 1, Done(4));
        claimed = await ClaimAsync(store, _leaver, "suspended");
        await ReportAsync(store, claimed["suspended"], 0, Done(5));
        await store.SuspendExecutorAsync(_leaver.Id, default);
        await ClaimAsync(store, _executor, "executed");
        await store.HeartbeatAsync(_executor, [], default);
        advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>Everything that the store shows.</summary>
    public static async Task<IReadOnlyList<string>> DescribeAsync(ITaskStore store)
    {
        var lines = new List<string>();
        foreach (var id in _ids)
        {
            lines.Add((await store.GetAsync(id, default))!.ToJson());
            lines.AddRange((await store.ListRunsAsync(id, default)).Select(run => JsonSerializer.Serialize(run)));
            lines.AddRange(
                (await store.GetStagesAsync(id, default)).Select(stage => JsonSerializer.Serialize(stage)));
        }

        lines.AddRange(
            (await store.ListNotificationsAsync(
                new NotificationQuery(), null, 100, default)).Items.Select(left => left.ToJson()));
        lines.AddRange(
            (await store.ListExecutorsAsync(default)).Select(
                executor => $"{executor.ExecutorId} {executor.LastPing:O}"));
        lines.Add((await store.GetTimeToNextDutyAsync(default)).ToString()!);
        return lines;
    }

    /// <summary>Expels, retries, wakes and runs all tasks until each has ended.</summary>
    public static async Task CompleteAsync(ITaskStore store, ITaskQueue queue, Action<TimeSpan> advance)
    {
        var states = await Task.WhenAll(_ids.Select(async id => (await store.GetAsync(id, default))!.State));
        states.Distinct().Should().BeEquivalentTo(Enum.GetValues<TaskState>());
        await store.CreateAsync([Definition("new")], OnConflict.Fail, default);
        (await store.WatchAsync(default)).Since.Should().Be(
            Start + TimeSpan.FromSeconds(2), "the watch begins with the new version");
        (await store.SendMessageAsync("waiting", JsonElement.Parse("1"), default)).Should().BeTrue();
        advance(TimeSpan.FromHours(3));
        (await store.ExpelDeadExecutorsAsync(10, default)).Should().ContainSingle().Which.TaskId
            .Should().Be("executed");
        for (var round = 0; round < 4; round++)
        {
            await store.RequeueFailedAsync(100, default);
            await store.QueueDueAsync(100, default);
            foreach (var task in await queue.ClaimAsync(
                new ClaimRequest { Executor = _executor, MaxTasks = 100, MaxBytes = long.MaxValue }, default))
            {
                for (var stage = task.Stage; stage < task.Stages; stage++)
                {
                    await ReportAsync(store, task, stage, Done(stage));
                }
            }
        }

        var ends = await Task.WhenAll(
            _ids.Append("new").Select(async id => (id, (await store.GetAsync(id, default))!.State)));
        ends.Where(task => task.State != TaskState.Finished).Should().Equal(("failed", TaskState.Failed));
    }

    private static TaskDefinition Definition(string id) => _checker.Prepare(new TaskDefinition
    {
        Id = id,
        Commands = id == "chain"
            ? [new("do")]
            : [id == "waiting" ? new MessageCommand() : new TaskCommand("do"), new("do")],
        RunAt = id is "idle" ? Start.AddHours(1) : id is "next" ? TaskDefinition.OnDemand : null,
        Cron = id is "periodic" ? "0 13 * * *" : null,
        NextTask = id is "chain" ? "next" : null,
        MaxRetries = id is "retried" ? 3 : 0,
        Notify = true,
        UserId = "u",
    });

    private static StageOutcome Done(int result) => StageOutcome.Completed(JsonElement.Parse($"{result}"));

    private static StageOutcome Failed() => StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom"));

    private static async Task<Dictionary<string, ExecutorTask>> ClaimAsync(
        ITaskStore store, ExecutorInfo executor, params string[] ids) =>
        (await store.ClaimAsync(executor, ids, default)).ToDictionary(task => task.Id);

    private static async Task ReportAsync(ITaskStore store, ExecutorTask task, int stage, StageOutcome outcome)
    {
        var report = new StageReport
        {
            TaskId = task.Id,
            StoreKey = task.StoreKey,
            Claim = task.Claim,
            JobId = task.JobId,
            Attempt = task.Attempt,
            Stage = stage,
            Outcome = outcome,
        };
        (await store.RecordAsync([report], default)).Should().Equal(ReportAnswer.Recorded);
    }
}
