using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>Who wants to claim how much.</summary>
/// <param name="Executor">Who.</param>
/// <param name="MaxTasks">At most so many tasks: the executor's free slots.</param>
/// <param name="MaxBytes">
/// At most about so many bytes of commands, kws and earlier results in all; one task is always allowed.
/// </param>
public readonly record struct ClaimRequest(ExecutorInfo Executor, int MaxTasks, long MaxBytes);
