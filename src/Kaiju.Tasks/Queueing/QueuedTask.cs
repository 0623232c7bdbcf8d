namespace Kaiju.Tasks.Queueing;

/// <summary>A task that is QUEUED at the store.</summary>
/// <param name="taskId">Its id.</param>
/// <param name="appName">Whose executors run it.</param>
public readonly struct QueuedTask(string taskId, string appName)
{
    /// <summary>Its id.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>Whose executors run it.</summary>
    public string AppName { get; } = appName;
}
