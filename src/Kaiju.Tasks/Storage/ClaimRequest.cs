using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>Who wants to claim how much.</summary>
public readonly struct ClaimRequest
{
    /// <summary>Who.</summary>
    public required ExecutorInfo Executor { get; init; }

    /// <summary>At most so many tasks: the executor's free slots.</summary>
    public required int MaxTasks { get; init; }

    /// <summary>
    /// At most about so many bytes of commands, kws and earlier results in all; one task is always allowed.
    /// </summary>
    public required long MaxBytes { get; init; }
}
