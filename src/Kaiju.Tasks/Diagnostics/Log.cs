using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>Everything that the library logs, with stable event ids: 1… manager, 2… executor, 3… host, 4… client, 5… store.</summary>
internal static partial class Log
{
    private static readonly Func<ILogger, string, string, int, string, IDisposable?> _stageScope =
        LoggerMessage.DefineScope<string, string, int, string>("task {TaskId} run {JobId} stage {Stage} {Method}");

    public static IDisposable? BeginStage(ILogger logger, string taskId, string jobId, int stage, string method) =>
        _stageScope(logger, taskId, jobId, stage, method);

    [LoggerMessage(101, LogLevel.Debug, "Task {TaskId}, run {JobId}: {From} -> {To}.")]
    public static partial void TaskMoved(ILogger logger, string taskId, string jobId, TaskState from, TaskState to);

    [LoggerMessage(102, LogLevel.Error, "The manager could not {Duty}; it tries again.")]
    public static partial void DutyFailed(ILogger logger, Exception exception, string duty);

    [LoggerMessage(103, LogLevel.Error, "The manager could not keep the store's watch; it keeps trying. No executor is expelled while the store is away.")]
    public static partial void WatchFailed(ILogger logger, Exception exception);

    [LoggerMessage(104, LogLevel.Information, "The store was without a manager or away until now. Silent executors are expelled in {ExecutorLifetime} at the earliest.")]
    public static partial void WatchBegins(ILogger logger, TimeSpan executorLifetime);

    [LoggerMessage(201, LogLevel.Error, "The executor could not claim tasks; it tries again.")]
    public static partial void ClaimFailed(ILogger logger, Exception exception);

    [LoggerMessage(202, LogLevel.Error, "A heartbeat of executor {ExecutorId} failed; it is repeated until one succeeds.")]
    public static partial void HeartbeatFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(203, LogLevel.Warning, "Task {TaskId}, run {JobId}: the report of stage {Stage} came too late, the claim is lost.")]
    public static partial void Superseded(ILogger logger, string taskId, string jobId, int stage);

    [LoggerMessage(204, LogLevel.Debug, "Task {TaskId}, run {JobId}: stage {Stage} ends this claim with {Outcome}.")]
    public static partial void StageEnded(ILogger logger, string taskId, string jobId, int stage, StageOutcome outcome);

    [LoggerMessage(205, LogLevel.Error, "Task {TaskId}, run {JobId}: the report of stage {Stage} could not be delivered; it is tried again.")]
    public static partial void ReportFailed(ILogger logger, Exception exception, string taskId, string jobId, int stage);

    [LoggerMessage(206, LogLevel.Critical, "Task {TaskId}, run {JobId}: the executor failed outside the task's own code; please report this. The stage fails.")]
    public static partial void RunBroke(ILogger logger, Exception exception, string taskId, string jobId);

    [LoggerMessage(207, LogLevel.Debug, "The executor {ExecutorId} has stopped and given {Count} tasks back.")]
    public static partial void ExecutorStopped(ILogger logger, string executorId, int count);

    [LoggerMessage(208, LogLevel.Warning, "The executor {ExecutorId} has stopped but could not give its tasks back; they go on when it is found dead.")]
    public static partial void GiveBackFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(209, LogLevel.Debug, "Executor {ExecutorId} could not release the runs that have stopped already; it releases them at its end.")]
    public static partial void EarlyGiveBackFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(210, LogLevel.Information, "The heartbeats of executor {ExecutorId} succeed again.")]
    public static partial void HeartbeatRecovered(ILogger logger, string executorId);

    [LoggerMessage(211, LogLevel.Error, "Executor {ExecutorId} could not ask for lost claims; it keeps trying. A cancel reaches its handlers late.")]
    public static partial void ClaimCheckFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(212, LogLevel.Warning, "Executor {ExecutorId} could not look for claims that never arrived; it looks again after its next heartbeat.")]
    public static partial void StraysFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(213, LogLevel.Warning, "Executor {ExecutorId} has given {Count} tasks back whose claims never arrived here.")]
    public static partial void StraysGivenBack(ILogger logger, string executorId, int count);

    [LoggerMessage(501, LogLevel.Warning, "Task {TaskId} has finished, but its next task {NextTask} was not started: {Result}.")]
    public static partial void ChainLost(ILogger logger, string taskId, string nextTask, ChainResult result);

    [LoggerMessage(505, LogLevel.Error, "A listener of the store failed; the others were told.")]
    public static partial void ListenerFailed(ILogger logger, Exception exception);

    [LoggerMessage(520, LogLevel.Error, "Task {TaskId} could not be processed ({Work}) and is set aside by this process for {Pause}; other tasks are not affected.")]
    public static partial void TaskSetAside(ILogger logger, Exception exception, string taskId, string work, TimeSpan pause);

    [LoggerMessage(401, LogLevel.Warning, "Task {TaskId} is stored, but the queue could not be told of it; executors find it at their next poll.")]
    public static partial void PublishFailed(ILogger logger, Exception exception, string taskId);

    [LoggerMessage(302, LogLevel.Critical, "A loop of Kaiju.Tasks ended with a fault; it is started again.")]
    public static partial void LoopBroke(ILogger logger, Exception exception);

    [LoggerMessage(303, LogLevel.Error, "A callback that was registered with a token of Kaiju.Tasks failed; the stop of the host continues.")]
    public static partial void CancellationFailed(ILogger logger, Exception exception);

    [LoggerMessage(301, LogLevel.Information, "Kaiju.Tasks runs app {AppName} as {Roles}.")]
    public static partial void Started(ILogger logger, string appName, TaskRoles roles);
}
