namespace Kaiju.Tasks.Storage;

/// <summary>An executor, as the store and the queue know it.</summary>
public sealed class ExecutorInfo
{
    /// <summary>The executor's id, which is new at every start.</summary>
    public required string Id { get; init; }

    /// <summary>The app of its host.</summary>
    public required string AppName { get; init; }

    /// <summary>The apps whose tasks it runs.</summary>
    public required IReadOnlyList<string> Apps { get; init; }

    /// <summary>The most tasks that it runs at once.</summary>
    public required int Capacity { get; init; }
}
