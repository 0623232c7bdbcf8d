namespace Kaiju.Tasks.Storage;

/// <summary>The number of tasks that one step has counted.</summary>
public readonly struct CountPage
{
    /// <summary>The number of tasks.</summary>
    public required int Count { get; init; }

    /// <summary>
    /// The position after which the next step counts. Null: all tasks are counted, or the limit is reached.
    /// </summary>
    public TaskCursor? Next { get; init; }
}
