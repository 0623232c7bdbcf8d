namespace Kaiju.Tasks.Queueing;

/// <summary>A task that is QUEUED in the store.</summary>
/// <param name="taskId">The task's id.</param>
/// <param name="appName">The app whose executors may run the task.</param>
public readonly struct QueuedTask(string taskId, string appName)
{
    /// <summary>The task's id.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The app whose executors may run the task.</summary>
    public string AppName { get; } = appName;
}
