using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>The queue of a store in a database.</summary>
internal sealed class RelationalTaskQueue(RelationalTaskStore store, TimeProvider clock) : StoreQueue(store, clock)
{
    protected override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        store.Claims.ClaimNextAsync(request, cancellationToken);

    protected override ValueTask<bool> HasQueuedAsync(ExecutorInfo executor, CancellationToken cancellationToken) =>
        store.Claims.HasQueuedAsync(executor, cancellationToken);
}
