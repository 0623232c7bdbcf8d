using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts;

/// <summary>Copies of data with some members changed.</summary>
internal static class Copies
{
    public static ExecutorInfo With(
        this ExecutorInfo executor,
        string? id = null,
        IReadOnlyList<string>? apps = null,
        int? capacity = null,
        IReadOnlyCollection<string>? commands = null) => new()
        {
            Id = id ?? executor.Id,
            AppName = executor.AppName,
            Apps = apps ?? executor.Apps,
            Capacity = capacity ?? executor.Capacity,
            Commands = commands ?? executor.Commands,
            Version = executor.Version,
            Host = executor.Host,
        };

    public static StageReport With(
        this StageReport report, string? taskId = null, Guid? claim = null, int? stage = null) => new()
        {
            TaskId = taskId ?? report.TaskId,
            Claim = claim ?? report.Claim,
            JobId = report.JobId,
            Attempt = report.Attempt,
            Stage = stage ?? report.Stage,
            Outcome = report.Outcome,
            Elapsed = report.Elapsed,
            StoreKey = report.StoreKey,
        };

    /// <summary>The task as it would be answered by a store without keys of its own.</summary>
    public static ExecutorTask WithoutStoreKey(this ExecutorTask task) => new()
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
        Result = task.Result,
        Kws = task.Kws,
        Meta = task.Meta,
        ExecDeadline = task.ExecDeadline,
        TimeLeft = task.TimeLeft,
        MaxRetries = task.MaxRetries,
        RetryDelay = task.RetryDelay,
        QueuedFor = task.QueuedFor,
    };

    public static StageEntry WithoutClaim(this StageEntry entry) => new()
    {
        JobId = entry.JobId,
        Pass = entry.Pass,
        Stage = entry.Stage,
        Attempt = entry.Attempt,
        Started = entry.Started,
        Finished = entry.Finished,
        Result = entry.Result,
        Error = entry.Error,
    };

    public static TaskNotification With(
        this TaskNotification notification, long? id = null, bool? isRead = null) => new()
        {
            Message = notification.Message,
            Id = id ?? notification.Id,
            TaskId = notification.TaskId,
            JobId = notification.JobId,
            UserId = notification.UserId,
            State = notification.State,
            IsFinal = notification.IsFinal,
            ExitCode = notification.ExitCode,
            Error = notification.Error,
            Result = notification.Result,
            IsRead = isRead ?? notification.IsRead,
            Created = notification.Created,
        };

    public static LifecycleRules With(
        this LifecycleRules rules,
        MissedRuns? missedRuns = null,
        int? keptRuns = null,
        bool? abortOverdueQueued = null,
        int? maxInterruptions = null,
        TimeSpan? suspendedLifetime = null) => new()
        {
            RetryDelay = rules.RetryDelay,
            MaxInterruptions = maxInterruptions ?? rules.MaxInterruptions,
            PingInterval = rules.PingInterval,
            ExecutorLifetime = rules.ExecutorLifetime,
            AbortGrace = rules.AbortGrace,
            AbortOverdueQueued = abortOverdueQueued ?? rules.AbortOverdueQueued,
            SuspendedLifetime = suspendedLifetime ?? rules.SuspendedLifetime,
            MissedRuns = missedRuns ?? rules.MissedRuns,
            KeptRuns = keptRuns ?? rules.KeptRuns,
        };
}
