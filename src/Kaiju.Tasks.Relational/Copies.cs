using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Copies of the values that the engine and a store exchange, with one member changed.</summary>
internal static class Copies
{
    public static StageReport WithOutcome(this StageReport report, StageOutcome outcome) => new()
    {
        TaskId = report.TaskId,
        Claim = report.Claim,
        JobId = report.JobId,
        Attempt = report.Attempt,
        Stage = report.Stage,
        Outcome = outcome,
        Elapsed = report.Elapsed,
        StoreKey = report.StoreKey,
    };

    public static ExecutorTask WithResult(this ExecutorTask task, IReadOnlyList<JsonElement> result) => new()
    {
        Id = task.Id,
        AppName = task.AppName,
        ExecutorId = task.ExecutorId,
        Claim = task.Claim,
        JobId = task.JobId,
        Pass = task.Pass,
        Attempt = task.Attempt,
        Stage = task.Stage,
        Stages = task.Stages,
        Commands = task.Commands,
        Result = result,
        Kws = task.Kws,
        Meta = task.Meta,
        ExecDeadline = task.ExecDeadline,
        TimeLeft = task.TimeLeft,
        StoreKey = task.StoreKey,
        MaxRetries = task.MaxRetries,
        RetryDelay = task.RetryDelay,
        QueuedFor = task.QueuedFor,
    };
}
