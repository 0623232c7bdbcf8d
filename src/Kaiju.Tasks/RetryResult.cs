using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The answer to a retry by hand (<see cref="ITaskClient.RetryAsync(string, CancellationToken)"/>).</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum RetryResult
{
    /// <summary>The run is resumed: the task is queued.</summary>
    Retried = 0,

    /// <summary>There is no such task.</summary>
    NotFound = 1,

    /// <summary>The task has not failed: its last run finished, or no run of it has ended since its reset.</summary>
    NotFailed = 2,

    /// <summary>
    /// A run is under way: the task is QUEUED, EXECUTED, SUSPENDED or WAITING, or its next run begins at once.
    /// </summary>
    UnderWay = 3,

    /// <summary>The task is disabled.</summary>
    Disabled = 4,

    /// <summary>
    /// The task waits for its next run, and the run that failed is not kept (<see cref="KaijuTasksOptions.KeptRuns"/>).
    /// </summary>
    NotKept = 5,

    /// <summary>
    /// The run has not reached the stage at which it is to resume, or an update of the definition has removed it.
    /// </summary>
    NoSuchStage = 6,
}
