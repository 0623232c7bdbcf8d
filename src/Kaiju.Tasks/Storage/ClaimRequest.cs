using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>A request to claim tasks: the executor, and the bounds of the claim.</summary>
public readonly struct ClaimRequest
{
    /// <summary>The executor.</summary>
    public required ExecutorInfo Executor { get; init; }

    /// <summary>The most tasks: the executor's free slots.</summary>
    public required int MaxTasks { get; init; }

    /// <summary>
    /// The most bytes of commands, kws and earlier results in all, about; a single task may have more.
    /// </summary>
    public required long MaxBytes { get; init; }
}
