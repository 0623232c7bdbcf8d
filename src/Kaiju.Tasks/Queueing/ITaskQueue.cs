using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>
/// How queued tasks reach executors. The store's QUEUED tasks are the truth; a queue may lose, repeat or reorder what
/// it was given, and the claim at the store decides. A store that is its own queue claims in one step and needs no
/// entries.
/// </summary>
public interface ITaskQueue
{
    /// <summary>
    /// Tells the queue of tasks that are QUEUED at the store. A hint, for a store that is its own queue perhaps nothing
    /// at all. A queue that keeps entries of its own must find what it was not told of, by listing QUEUED tasks now and
    /// then.
    /// </summary>
    /// <param name="tasks">Which.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken);

    /// <summary>
    /// Claims tasks for an executor (<see cref="TaskEvent.Claimed"/>), by priority, then by age. Ends when it answers:
    /// no lock or transaction outlives it.
    /// </summary>
    /// <param name="request">Who, and how many at most.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting; the step may have happened: <see cref="IExecutorPort.GiveBackStrayClaimsAsync"/> gives back
    /// what it took.
    /// </param>
    /// <returns>None if there are none.</returns>
    ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>Waits until something may be there to claim. May return for nothing.</summary>
    /// <param name="apps">Of these apps.</param>
    /// <param name="timeout">At most so long.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask WaitAsync(IReadOnlyList<string> apps, TimeSpan timeout, CancellationToken cancellationToken);
}
