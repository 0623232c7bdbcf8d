namespace Kaiju.Tasks.Storage;

/// <summary>An executor, as the store and the queue know it.</summary>
public sealed class ExecutorInfo
{
    /// <summary>New at every start.</summary>
    public required string Id { get; init; }

    /// <summary>The app of its host.</summary>
    public required string AppName { get; init; }

    /// <summary>The apps whose tasks it runs.</summary>
    public required IReadOnlyList<string> Apps { get; init; }

    /// <summary>How many tasks it runs at once.</summary>
    public required int Capacity { get; init; }
}
