namespace Kaiju.Tasks.Storage;

/// <summary>A store's answer to the creation of one task.</summary>
public readonly struct CreateAnswer
{
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The current run of the task that has the id now.</summary>
    public required string JobId { get; init; }

    /// <summary>The result of the creation.</summary>
    public required CreateResult Result { get; init; }

    /// <summary>The state of the task that has the id now.</summary>
    public required TaskState State { get; init; }

    /// <summary>Creates a store's answer for a task.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="state">The managed state of the task that has the id now.</param>
    /// <param name="result">The result of the creation.</param>
    public static CreateAnswer Of(string taskId, ManagedState state, CreateResult result)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new CreateAnswer
        {
            TaskId = taskId,
            JobId = state.JobId,
            Result = result,
            State = state.State,
        };
    }
}
