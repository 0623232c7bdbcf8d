using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Queueing;

/// <summary>The queue of a store that is its own queue: its QUEUED tasks are the entries, so nothing can fall between the two. A store says how it claims and whether it has something.</summary>
public abstract class StoreQueue : ITaskQueue, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly IDisposable _listening;
    private TaskCompletionSource _pulse = NewPulse();

    /// <summary>Begins to listen to the store's hints.</summary>
    /// <param name="store">The store.</param>
    /// <param name="clock">What a wait's bound is measured by.</param>
    protected StoreQueue(ITaskStore store, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(store);
        _clock = clock;
        _listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Queued))
            {
                Interlocked.Exchange(ref _pulse, NewPulse()).TrySetResult();
            }
        });
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async ValueTask WaitAsync(IReadOnlyList<string> apps, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // The pulse first, then the look: what is queued between the two is either seen or heard.
        var pulse = Volatile.Read(ref _pulse).Task;
        if (!await HasQueuedAsync(apps, cancellationToken).ConfigureAwait(false))
        {
            await pulse.WaitAsync(timeout, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Ends the listening.</summary>
    public void Dispose()
    {
        _listening.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>True if there is something to claim.</summary>
    /// <param name="apps">Of these apps.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    protected abstract ValueTask<bool> HasQueuedAsync(IReadOnlyList<string> apps, CancellationToken cancellationToken);

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
