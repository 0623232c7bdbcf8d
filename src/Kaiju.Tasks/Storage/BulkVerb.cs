namespace Kaiju.Tasks.Storage;

/// <summary>The changes that a bulk operation makes.</summary>
public enum BulkVerb
{
    /// <summary>Each task is retried (<see cref="ITaskSteering.RetryAsync"/>).</summary>
    Retry = 0,

    /// <summary>Each task is cancelled (<see cref="ITaskSteering.CancelAsync"/>).</summary>
    Cancel = 1,

    /// <summary>Each task is deleted (<see cref="ITaskSteering.DeleteAsync"/>).</summary>
    Delete = 2,
}
