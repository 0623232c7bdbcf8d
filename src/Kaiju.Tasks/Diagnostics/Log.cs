using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>
/// The log events. The first digit of an id names the source: 1 manager, 2 executor, 3 host, 4 client, 5 store. Ids and
/// names never change; docs/log-events.md lists them.
/// </summary>
internal static partial class Log
{
    private static readonly Func<ILogger, string, string, int, string, IDisposable?> _stageScope =
        LoggerMessage.DefineScope<string, string, int, string>("task {TaskId} run {JobId} stage {Stage} {Method}");

    public static IDisposable? BeginStage(ILogger logger, string taskId, string jobId, int stage, string method) =>
        _stageScope(logger, taskId, jobId, stage, method);

    [LoggerMessage(101, LogLevel.Debug, "Task {TaskId}, run {JobId}: {From} -> {To}.")]
    public static partial void TaskMoved(ILogger logger, string taskId, string jobId, TaskState from, TaskState to);

    [LoggerMessage(
        104,
        LogLevel.Information,
        "A manager watches the store from now on. Executors without heartbeats are expelled in {ExecutorLifetime} at "
            + "the earliest.")]
    public static partial void WatchBegins(ILogger logger, TimeSpan executorLifetime);

    [LoggerMessage(
        105,
        LogLevel.Warning,
        "Task {TaskId}, run {JobId} failed in state {From}, retrying at {RetryAt:u}: {Reason}")]
    public static partial void TaskFailed(
        ILogger logger, string taskId, string jobId, TaskState from, string? reason, DateTimeOffset retryAt);

    [LoggerMessage(
        106, LogLevel.Error, "Task {TaskId}, run {JobId} failed in state {From}, without a retry: {Reason}")]
    public static partial void TaskFailedForGood(
        ILogger logger, string taskId, string jobId, TaskState from, string? reason);

    [LoggerMessage(
        203,
        LogLevel.Warning,
        "Task {TaskId}, run {JobId}: the report of stage {Stage} was rejected because the claim was lost.")]
    public static partial void Superseded(ILogger logger, string taskId, string jobId, int stage);

    [LoggerMessage(204, LogLevel.Debug, "Task {TaskId}, run {JobId}: stage {Stage} ended the claim with {Outcome}.")]
    public static partial void StageEnded(ILogger logger, string taskId, string jobId, int stage, StageOutcome outcome);

    [LoggerMessage(
        206,
        LogLevel.Critical,
        "Task {TaskId}, run {JobId}: the engine failed outside the task's code, and the stage fails. Please report "
            + "this.")]
    public static partial void RunBroke(ILogger logger, Exception exception, string taskId, string jobId);

    [LoggerMessage(207, LogLevel.Debug, "Executor {ExecutorId} stopped and released {Count} tasks.")]
    public static partial void ExecutorStopped(ILogger logger, string executorId, int count);

    [LoggerMessage(
        208,
        LogLevel.Warning,
        "Executor {ExecutorId} stopped but failed to release its tasks; they resume after it is found dead.")]
    public static partial void GiveBackFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(
        209,
        LogLevel.Debug,
        "Executor {ExecutorId} failed to release stopped runs early; it releases them when it has stopped.")]
    public static partial void EarlyGiveBackFailed(ILogger logger, Exception exception, string executorId);

    [LoggerMessage(
        213,
        LogLevel.Warning,
        "Executor {ExecutorId} released {Count} tasks that were claimed for it, because the claims never reached it.")]
    public static partial void StraysGivenBack(ILogger logger, string executorId, int count);

    [LoggerMessage(
        221,
        LogLevel.Warning,
        "Task {TaskId}, run {JobId}: attempt {Attempt} failed at stage {Stage} ({Method}), "
        + "retrying in {Delay}: {Error}")]
    public static partial void StageFailed(
        ILogger logger,
        Exception? exception,
        string taskId,
        string jobId,
        int attempt,
        int stage,
        string method,
        TimeSpan delay,
        string? error);

    [LoggerMessage(
        222,
        LogLevel.Error,
        "Task {TaskId}, run {JobId}: attempt {Attempt} failed at stage {Stage} ({Method}), "
        + "{Reason}: {Error}")]
    public static partial void StageFailedForGood(
        ILogger logger,
        Exception? exception,
        string taskId,
        string jobId,
        int attempt,
        int stage,
        string method,
        string reason,
        string? error);

    [LoggerMessage(
        223,
        LogLevel.Warning,
        "ChooseRetryDelay failed for task {TaskId}, command {Method}: {Reason}. The declared delay is used.")]
    public static partial void RetryDelayRefused(
        ILogger logger, Exception? exception, string taskId, string method, string reason);

    [LoggerMessage(
        224,
        LogLevel.Warning,
        "Task {TaskId}: the data of the failure of stage {Stage} ({Method}) was left out. {Reason}")]
    public static partial void FailureDataDropped(
        ILogger logger, Exception? exception, string taskId, int stage, string method, string reason);

    [LoggerMessage(301, LogLevel.Information, "Kaiju.Tasks started with app {AppName} and roles {Roles}.")]
    public static partial void Started(ILogger logger, string appName, TaskRoles roles);

    [LoggerMessage(
        302, LogLevel.Critical, "The {Loop} loop failed unexpectedly; restarting it in {Delay}. Please report this.")]
    public static partial void LoopBroke(ILogger logger, Exception exception, string loop, TimeSpan delay);

    [LoggerMessage(
        303,
        LogLevel.Error,
        "A callback on a cancellation token of Kaiju.Tasks failed; the host continues to stop.")]
    public static partial void CancellationFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        304,
        LogLevel.Warning,
        "Notification sinks in a host without the Manager role receive no notifications: {Sinks}. Register them in "
            + "hosts with the Manager role.")]
    public static partial void SinkWithoutManager(ILogger logger, string sinks);

    [LoggerMessage(
        305,
        LogLevel.Warning,
        "The host's ShutdownTimeout expired before its stages ended; they run again elsewhere. It must be longer than "
            + "StopTimeout ({StopTimeout}) and StopCancelTimeout ({StopCancelTimeout}) together.")]
    public static partial void HostStopsEarly(ILogger logger, TimeSpan stopTimeout, TimeSpan stopCancelTimeout);

    [LoggerMessage(
        306,
        LogLevel.Warning,
        "This host creates tasks of app {AppName}, but its executor runs only {Apps}. Add {AppName} to ExecutorApps, "
            + "or run an executor for that app in another host.")]
    public static partial void AppOfOthers(ILogger logger, string appName, string apps);

    [LoggerMessage(
        310,
        LogLevel.Warning,
        "App {AppName} seems to have no executor: its tasks have been queued for over {Age}, and none is running. "
            + "Check AppName and ExecutorApps of the hosts with the Executor role.")]
    public static partial void AppUnserved(ILogger logger, string appName, TimeSpan age);

    [LoggerMessage(
        313,
        LogLevel.Warning,
        "No running executor of app {AppName} knows the command {Method}; its tasks wait. Start a version that "
            + "knows it, or cancel the tasks.")]
    public static partial void CommandUnknown(ILogger logger, string appName, string method);

    [LoggerMessage(
        311,
        LogLevel.Warning,
        "Tasks are waiting for a manager (last seen: {LastManager}). Timers, retries, schedules and message timeouts "
            + "wait until a host with the Manager role runs.")]
    public static partial void ManagerMissing(ILogger logger, string lastManager);

    [LoggerMessage(
        312,
        LogLevel.Warning,
        "The check for tasks without an executor or a manager failed; retrying every minute. Everything else works.")]
    public static partial void AttendanceUnknown(ILogger logger, Exception exception);

    [LoggerMessage(
        320,
        LogLevel.Error,
        "Sink {Sink} failed on notification {NotificationId} of task {TaskId}; retrying. Later notifications wait for "
            + "it.")]
    public static partial void SinkFailed(
        ILogger logger, Exception exception, string sink, long notificationId, string taskId);

    [LoggerMessage(
        321,
        LogLevel.Error,
        "Sink {Sink} has been failing for {Elapsed} ({Count} times), now on notification {NotificationId} of task "
            + "{TaskId}: {Reason}")]
    public static partial void SinkStillFails(
        ILogger logger, string sink, TimeSpan elapsed, int count, long notificationId, string taskId, string reason);

    [LoggerMessage(322, LogLevel.Information, "Sink {Sink} works again after {Elapsed} and {Count} failures.")]
    public static partial void SinkWorks(ILogger logger, string sink, TimeSpan elapsed, int count);

    [LoggerMessage(
        501, LogLevel.Warning, "Task {TaskId} has finished, but its next task {NextTask} was not started: {Result}.")]
    public static partial void ChainLost(ILogger logger, string taskId, string nextTask, ChainResult result);

    [LoggerMessage(505, LogLevel.Error, "A listener for hints of the store failed; the other listeners were notified.")]
    public static partial void ListenerFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        520,
        LogLevel.Error,
        "Task {TaskId} could not be processed ({Work}) and is set aside by this process for {Pause}; other tasks are "
            + "not affected.")]
    public static partial void TaskSetAside(
        ILogger logger, Exception exception, string taskId, string work, TimeSpan pause);

    [LoggerMessage(530, LogLevel.Error, "The store is failing: could not {Work}. Retrying until it works again.")]
    public static partial void OutageBegins(ILogger logger, Exception exception, string work);

    [LoggerMessage(
        531,
        LogLevel.Error,
        "The store has been failing for {Elapsed} ({Count} failures): could not {Work}. Still retrying. The last "
            + "failure: {Reason}")]
    public static partial void OutageLasts(ILogger logger, TimeSpan elapsed, int count, string work, string reason);

    [LoggerMessage(532, LogLevel.Information, "The store works again after {Elapsed} and {Count} failures.")]
    public static partial void OutageEnds(ILogger logger, TimeSpan elapsed, int count);

    [LoggerMessage(533, LogLevel.Debug, "The store failed: could not {Work}.")]
    public static partial void WorkFailed(ILogger logger, Exception exception, string work);
}
