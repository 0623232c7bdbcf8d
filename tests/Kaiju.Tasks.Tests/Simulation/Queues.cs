using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The store as its own queue; the checker observes its calls.</summary>
internal sealed class StoreQueue(MemoryTaskStore store, WitnessedStore witness) : ITaskQueue
{
    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => default;

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        witness.WatchClaimAsync(request.Executor, () => store.Executors.ClaimNextAsync(request, cancellationToken));

    public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}

/// <summary>
/// A queue with its own entries, like a broker: it loses, repeats and reorders them, and sometimes polls for lost ones.
/// </summary>
internal sealed class BrokerQueue(World world, WitnessedStore store) : ITaskQueue
{
    private const int LookEvery = 20;

    private readonly List<string> _entries = world.BrokerEntries;
    private int _claims;

    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken)
    {
        foreach (var task in tasks.Where(_ => !world.Agenda.Chance(0.1)))
        {
            _entries.Insert(world.Agenda.Random.Next(_entries.Count + 1), task.TaskId);
        }

        return default;
    }

    public async ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken)
    {
        if (_claims++ % LookEvery == 0)
        {
            var queued = (await store.ListAsync(
                new TaskQuery { State = TaskState.Queued }, null, 100, cancellationToken)).Items;
            _entries.AddRange(queued.Select(task => task.Id).Except(_entries).ToList());
        }

        var taken = _entries.Take(request.MaxTasks).ToList();
        _entries.RemoveRange(0, taken.Count);
        _entries.AddRange(taken.Where(_ => world.Agenda.Chance(0.1)));
        return taken.Count == 0 ? [] : await store.ClaimAsync(request.Executor, taken, cancellationToken);
    }

    public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
