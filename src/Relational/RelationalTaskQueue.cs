using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>The queue of a store in a database: its QUEUED tasks are the entries, so nothing can fall between the two.</summary>
internal sealed class RelationalTaskQueue : ITaskQueue, IDisposable
{
    private readonly RelationalTaskStore _store;
    private readonly TimeProvider _clock;
    private readonly IDisposable _listening;
    private TaskCompletionSource _pulse = NewPulse();

    public RelationalTaskQueue(RelationalTaskStore store, TimeProvider clock)
    {
        _store = store;
        _clock = clock;
        _listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Queued))
            {
                Interlocked.Exchange(ref _pulse, NewPulse()).TrySetResult();
            }
        });
    }

    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken) =>
        _store.ClaimNextAsync(request, cancellationToken);

    public async ValueTask WaitAsync(IReadOnlyList<string> apps, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // The pulse first, then the look: what is queued between the two is either seen or heard.
        var pulse = Volatile.Read(ref _pulse).Task;
        if (!await _store.HasQueuedAsync(apps, cancellationToken).ConfigureAwait(false))
        {
            await pulse.WaitAsync(timeout, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public void Dispose() => _listening.Dispose();

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
