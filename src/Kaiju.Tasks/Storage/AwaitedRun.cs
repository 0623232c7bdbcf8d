namespace Kaiju.Tasks.Storage;

/// <summary>A run that a client waits for.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="JobId">The run.</param>
public readonly record struct AwaitedRun(string TaskId, string JobId);
