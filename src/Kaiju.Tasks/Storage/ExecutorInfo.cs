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

    /// <summary>
    /// The methods of the commands that it knows, with those of special commands. Its first heartbeat announces them,
    /// for each of its apps. Default: null, for an executor that announces none; it takes every task of the common
    /// queue.
    /// </summary>
    public IReadOnlyCollection<string>? Commands { get; init; }

    /// <summary>The version of the host's program, to show to people. Default: null, for unknown.</summary>
    public string? Version { get; init; }

    /// <summary>The name of the host's machine, to show to people. Default: null, for unknown.</summary>
    public string? Host { get; init; }
}
