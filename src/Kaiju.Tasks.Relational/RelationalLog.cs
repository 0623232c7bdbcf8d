using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>What stores in databases log, with the event ids of stores: 5….</summary>
internal static partial class RelationalLog
{
    [LoggerMessage(
        501, LogLevel.Warning, "Task {TaskId} has finished, but its next task {NextTask} was not started: {Result}.")]
    public static partial void ChainLost(ILogger logger, string taskId, string nextTask, ChainResult result);

    [LoggerMessage(
        502, LogLevel.Information, "The schema of the tasks has been migrated; {Count} migrations were applied.")]
    public static partial void Migrated(ILogger logger, int count);

    [LoggerMessage(503, LogLevel.Debug, "A step of the store failed and is tried again in {Delay}.")]
    public static partial void StepRepeated(ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(
        504, LogLevel.Debug, "The connection that listens for hints is lost; polling goes on, and it is opened again.")]
    public static partial void ListeningLost(ILogger logger, Exception exception);

    [LoggerMessage(505, LogLevel.Error, "A listener for hints of the store failed; the other listeners were notified.")]
    public static partial void ListenerFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        510,
        LogLevel.Warning,
        "A step of the store has been waiting for {Elapsed} for a row or a table that another transaction holds; it "
            + "keeps trying, and other steps do not wait for it.")]
    public static partial void StepHeld(ILogger logger, Exception exception, TimeSpan elapsed);

    [LoggerMessage(
        511,
        LogLevel.Warning,
        "Another transaction holds {Count} tasks of the executor {ExecutorId}, which could not be given back; they "
            + "are claimed until the executor is found dead.")]
    public static partial void GiveBackIncomplete(ILogger logger, string executorId, int count);

    [LoggerMessage(512, LogLevel.Error, "The store was closed before its last steps were answered: {Steps}.")]
    public static partial void ClosedEarly(ILogger logger, string steps);

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
        "Task {TaskId} could not be processed ({Work}) and is not set aside: {Most} tasks are already. "
        + "The work pauses.")]
    public static partial void TooManySetAside(
        ILogger logger, Exception exception, string taskId, string work, int most);

    [LoggerMessage(
        522, LogLevel.Error, "A row of task {TaskId} cannot be read by this version and is left out ({Work}).")]
    public static partial void RowLeftOut(ILogger logger, Exception exception, string taskId, string work);
}
