namespace Kaiju.Tasks.Storage;

/// <summary>The tasks that one step has counted.</summary>
public readonly struct CountPage
{
    /// <summary>How many tasks there are.</summary>
    public required int Count { get; init; }

    /// <summary>
    /// The position after which the next step counts; null if all are counted or the limit is reached.
    /// </summary>
    public TaskCursor? Next { get; init; }
}
