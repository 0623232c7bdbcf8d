using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>
/// Passes queued tasks to executors. The QUEUED tasks of the store are the truth: a queue may lose, repeat or reorder
/// its entries, and the claim in the store decides. A store that is its own queue claims in one step and needs no
/// entries.
/// </summary>
public interface ITaskQueue
{
    /// <summary>
    /// Adds tasks that are QUEUED in the store. The call is a hint, which a store that is its own queue may ignore. A
    /// queue with entries of its own must list QUEUED tasks from time to time, to find those that were not published.
    /// </summary>
    /// <param name="tasks">The queued tasks.</param>
    /// <param name="cancellationToken">Cancels the wait; the tasks may still be published.</param>
    ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken);

    /// <summary>
    /// Claims tasks for an executor (<see cref="TaskEvent.Claimed"/>), by priority, then by age. No lock or transaction
    /// outlives the call.
    /// </summary>
    /// <param name="request">The executor, and the most tasks and bytes of the answer.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait; the claim may still complete. <see cref="IExecutorPort.GiveBackStrayClaimsAsync"/> then
    /// releases the claimed tasks.
    /// </param>
    /// <returns>The claimed tasks; empty if none is queued.</returns>
    ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>Waits until a task may be claimed. May return although no task is queued.</summary>
    /// <param name="executor">The executor that will claim.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken);
}
