namespace Kaiju.Tasks.Queueing;

/// <summary>A task that is QUEUED at the store.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="AppName">Whose executors run it.</param>
public readonly record struct QueuedTask(string TaskId, string AppName);
