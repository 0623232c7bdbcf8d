using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Queueing.Memory;

/// <summary>The queue of the in-memory store.</summary>
internal sealed class MemoryTaskQueue(MemoryTaskStore store, TimeProvider clock) : StoreQueue(store, clock)
{
    protected override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        store.Executors.ClaimNextAsync(request, cancellationToken);

    protected override ValueTask<bool> HasQueuedAsync(
        ExecutorInfo executor, CancellationToken cancellationToken) =>
        ValueTask.FromResult(store.Executors.HasQueued(executor));
}
