using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>The log lines of stores in databases, with event ids from 500 to 599.</summary>
internal static partial class RelationalLog
{
    [LoggerMessage(
        501, LogLevel.Warning, "Task {TaskId} has finished, but its next task {NextTask} was not started: {Result}.")]
    public static partial void ChainLost(ILogger logger, string taskId, string nextTask, ChainResult result);

    [LoggerMessage(
        502, LogLevel.Information, "The schema of the task store was migrated; {Count} migrations were applied.")]
    public static partial void Migrated(ILogger logger, int count);

    [LoggerMessage(503, LogLevel.Debug, "A step of the store failed; retrying in {Delay}.")]
    public static partial void StepRepeated(ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(
        504, LogLevel.Debug, "The connection that listens for hints was lost; reopening it. Polling continues.")]
    public static partial void ListeningLost(ILogger logger, Exception exception);

    [LoggerMessage(505, LogLevel.Error, "A listener for hints of the store failed; the other listeners were notified.")]
    public static partial void ListenerFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        510,
        LogLevel.Warning,
        "A step of the store has waited {Elapsed} for a row or a table that another transaction holds; it keeps "
            + "retrying. Other steps are not blocked.")]
    public static partial void StepHeld(ILogger logger, Exception exception, TimeSpan elapsed);

    [LoggerMessage(
        511,
        LogLevel.Warning,
        "{Count} tasks of executor {ExecutorId} could not be given back, because another transaction holds them; they "
            + "stay claimed until the executor is found dead.")]
    public static partial void GiveBackIncomplete(ILogger logger, string executorId, int count);

    [LoggerMessage(512, LogLevel.Error, "The store was closed before its last steps were answered: {Steps}.")]
    public static partial void ClosedEarly(ILogger logger, string steps);

    [LoggerMessage(
        513,
        LogLevel.Warning,
        "The migration of the tables waits for a lock: {Holder}. It tries again for {Most} at most; between its tries "
            + "other statements run.")]
    public static partial void MigrationHeld(ILogger logger, Exception exception, string holder, TimeSpan most);

    [LoggerMessage(
        520,
        LogLevel.Error,
        "Task {TaskId} could not be processed ({Work}) and is set aside by this process for {Pause}; other tasks are "
            + "not affected.")]
    public static partial void TaskSetAside(
        ILogger logger, Exception exception, string taskId, string work, TimeSpan pause);

    [LoggerMessage(
        521,
        LogLevel.Error,
        "Task {TaskId} could not be processed ({Work}) and was not set aside, because {Most} tasks already are. "
        + "The work pauses.")]
    public static partial void TooManySetAside(
        ILogger logger, Exception exception, string taskId, string work, int most);

    [LoggerMessage(
        522, LogLevel.Error, "A row of task {TaskId} cannot be read by this version and is left out ({Work}).")]
    public static partial void RowLeftOut(ILogger logger, Exception exception, string taskId, string work);
}
