using System.Text.Json;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests;

/// <summary>An executor driven by the test, which calls the store at the wrong time.</summary>
internal static class ByHand
{
    public static readonly ExecutorInfo Executor = new()
    {
        Id = "by-hand",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    public static async Task<ExecutorTask> ClaimByHandAsync(
        this TaskTestHost host, string taskId, ExecutorInfo? executor = null) =>
        (await host.Store.ClaimAsync(executor ?? Executor, [taskId], default)).Single();

    public static async Task<ReportAnswer> ReportByHandAsync(
        this TaskTestHost host, ExecutorTask task, StageOutcome outcome, int? stage = null) =>
        (await host.Store.RecordAsync([ReportOf(task, outcome, stage)], default)).Single();

    public static StageReport ReportOf(ExecutorTask task, StageOutcome outcome, int? stage = null) =>
        new()
        {
            TaskId = task.Id,
            Claim = task.Claim,
            JobId = task.JobId,
            Attempt = task.Attempt,
            Stage = stage ?? task.Stage,
            Outcome = outcome,
        };

    public static async Task<IReadOnlyList<Guid>> BeatByHandAsync(
        this TaskTestHost host, params ExecutorTask[] tasks) =>
        await host.Store.HeartbeatAsync(
            Executor, [.. tasks.Select(task => new HeldClaim(task.Id, task.Claim))], default);

    /// <summary>The whole stop of an executor, as the host does it.</summary>
    public static async Task StopAsync(this TaskExecutor executor, CancellationToken cancellationToken)
    {
        await executor.DrainAsync(new KaijuTasksOptions().StopTimeout, cancellationToken);
        await executor.GiveBackAsync();
    }

    public static StageOutcome Result(string json) => StageOutcome.Completed(JsonElement.Parse(json));

    public static StageOutcome Failure(string message = "boom") =>
        StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, message));
}
