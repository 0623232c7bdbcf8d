using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Queueing;

/// <summary>
/// The base of queues whose entries are the QUEUED tasks of a store, so that store and queue cannot differ. A derived
/// class implements the claim and the check for queued tasks.
/// </summary>
public abstract class StoreQueue : ITaskQueue, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly IDisposable _listening;
    private readonly Backoff _backoff;
    private readonly Lock _lock = new();
    private readonly List<Sleeper> _sleepers = [];

    /// <summary>
    /// The number of consecutive waits that found queued tasks without a successful claim between them.
    /// </summary>
    private int _fruitless;

    /// <summary>Creates the queue and subscribes to the store's hints.</summary>
    /// <param name="store">The store.</param>
    /// <param name="clock">The clock that measures the timeouts of waits.</param>
    protected StoreQueue(ITaskStore store, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(store);
        (_clock, _backoff) = (clock, new Backoff(clock));
        _listening = store.Listen(Hear);
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken)
    {
        var claimed = await ClaimNextAsync(request, cancellationToken).ConfigureAwait(false);
        if (claimed.Count > 0)
        {
            _fruitless = 0;
        }

        return claimed;
    }

    /// <inheritdoc/>
    public async ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(executor);

        // The sleeper is added before the check: a task that is queued between the two is either found or wakes the
        // sleeper.
        var sleeper = Enter(executor.Apps);
        try
        {
            if (!await HasQueuedAsync(executor, cancellationToken).ConfigureAwait(false))
            {
                _fruitless = 0;
                await SleepAsync(sleeper, timeout, cancellationToken).ConfigureAwait(false);
            }
            else if (_fruitless++ == 0)
            {
                // Most likely queued after the last claim.
                _backoff.Reset();
            }
            else
            {
                await _backoff.WaitAsync(
                    timeout,
                    pause => SleepAsync(sleeper, pause, cancellationToken),
                    cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            lock (_lock)
            {
                _sleepers.Remove(sleeper);
            }
        }
    }

    /// <summary>Ends the subscription to the store's hints.</summary>
    public void Dispose()
    {
        _listening.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Claims tasks; see <see cref="ITaskQueue.ClaimAsync"/>.</summary>
    /// <param name="request">The executor, and the most tasks and bytes of the answer.</param>
    /// <param name="cancellationToken">Cancels the wait; the claim may still complete.</param>
    /// <returns>The claimed tasks; empty if none is queued.</returns>
    protected abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>Returns true if the executor can claim a task. It asks the same question as the claim.</summary>
    /// <param name="executor">The executor.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    protected abstract ValueTask<bool> HasQueuedAsync(ExecutorInfo executor, CancellationToken cancellationToken);

    private Sleeper Enter(IReadOnlyList<string> apps)
    {
        var sleeper = new Sleeper(apps);
        lock (_lock)
        {
            _sleepers.Add(sleeper);
        }

        return sleeper;
    }

    /// <summary>Wakes the waits for the apps of the hint; other waits sleep on.</summary>
    private void Hear(StoreHint hint)
    {
        if ((hint.Kinds & StoreHintKinds.Queued) == StoreHintKinds.None)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var sleeper in _sleepers)
            {
                if (hint.MayQueue(sleeper.Apps))
                {
                    sleeper.TrySetResult();
                }
            }
        }
    }

    private async Task SleepAsync(Sleeper sleeper, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await sleeper.Task.WaitAsync(timeout, _clock, cancellationToken).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>One wait for the tasks of some apps.</summary>
    private sealed class Sleeper(IReadOnlyList<string> apps) : TaskCompletionSource(
        TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public IReadOnlyList<string> Apps => apps;
    }
}
