using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Queueing;

/// <summary>
/// The queue of a store that is its own queue: its QUEUED tasks are the entries, so nothing can fall between the two. A
/// store says how it claims and whether it has something.
/// </summary>
public abstract class StoreQueue : ITaskQueue, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly IDisposable _listening;
    private readonly Backoff _backoff;
    private readonly Lock _lock = new();
    private readonly List<Sleeper> _sleepers = [];

    /// <summary>How many waits in a row found something that no claim between them got.</summary>
    private int _fruitless;

    /// <summary>Begins to listen to the store's hints.</summary>
    /// <param name="store">The store.</param>
    /// <param name="clock">What a wait's bound is measured by.</param>
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
    public async ValueTask WaitAsync(IReadOnlyList<string> apps, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // The sleeper first, then the look: what is queued between the two is either seen or heard.
        var sleeper = Enter(apps);
        try
        {
            if (!await HasQueuedAsync(apps, cancellationToken).ConfigureAwait(false))
            {
                _fruitless = 0;
                await SleepAsync(sleeper, timeout, cancellationToken).ConfigureAwait(false);
            }
            else if (_fruitless++ == 0)
            {
                // Queued since the claim before, most likely.
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

    /// <summary>Ends the listening.</summary>
    public void Dispose()
    {
        _listening.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Claims tasks; see <see cref="ITaskQueue.ClaimAsync"/>.</summary>
    /// <param name="request">Which executor asks, and for how much at most.</param>
    /// <param name="cancellationToken">Cancels the wait; the claim may still complete.</param>
    /// <returns>The claimed tasks, none if there are none.</returns>
    protected abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>True if there is something to claim.</summary>
    /// <param name="apps">Of these apps.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    protected abstract ValueTask<bool> HasQueuedAsync(IReadOnlyList<string> apps, CancellationToken cancellationToken);

    private Sleeper Enter(IReadOnlyList<string> apps)
    {
        var sleeper = new Sleeper(apps);
        lock (_lock)
        {
            _sleepers.Add(sleeper);
        }

        return sleeper;
    }

    /// <summary>Wakes those whose apps the hint is about: what is queued for others costs them nothing.</summary>
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

    /// <summary>One wait for tasks of some apps.</summary>
    private sealed class Sleeper(IReadOnlyList<string> apps) : TaskCompletionSource(
        TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public IReadOnlyList<string> Apps => apps;
    }
}
