namespace Kaiju.Tasks.Storage;

/// <summary>A run that a client waits for.</summary>
/// <param name="taskId">The task.</param>
/// <param name="jobId">The run.</param>
public readonly struct AwaitedRun(string taskId, string jobId)
{
    /// <summary>The task.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The run.</summary>
    public string JobId { get; } = jobId;
}
