using System.Runtime.ExceptionServices;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Serves all waits of this process for the end of runs. A hint that names a task wakes only the waits for that task.
/// Any other hint, and every poll, leads to one query for all waits. Queries run one at a time; the pause after each
/// grows with its duration. See docs/decisions/0003.
/// </summary>
internal sealed class WaiterHub(
    ClientCalls calls, TimeProvider clock, ClientLifetime lifetime, KaijuTasksOptions options) : IDisposable
{
    /// <summary>The most runs of one query.</summary>
    private const int MostAsked = 500;

    /// <summary>The pause after a query, as a multiple of its duration.</summary>
    private const int Rest = 4;

    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Waiter>> _waiters = new(StringComparer.Ordinal);
    private readonly WakeSignal _wake = new(clock);
    private IDisposable? _listening;
    private bool _isAsking;

    private TimeSpan QuestionTimeout => options.ClientTimeout;

    /// <summary>Registers a wait for the end of a task's run. Hints are remembered from now on.</summary>
    public Waiter Enter(string taskId)
    {
        Listen();
        var waiter = new Waiter(this, taskId, new WakeSignal(clock));
        lock (_lock)
        {
            if (!_waiters.TryGetValue(taskId, out var same))
            {
                _waiters.Add(taskId, same = []);
            }

            same.Add(waiter);
            if (!_isAsking)
            {
                _isAsking = true;
                using (ExecutionContext.SuppressFlow())
                {
                    _ = Task.Run(KeepAskingAsync);
                }
            }
        }

        return waiter;
    }

    public void Dispose() => Interlocked.Exchange(ref _listening, null)?.Dispose();

    private void Listen()
    {
        if (Volatile.Read(ref _listening) is null)
        {
            var listening = calls.Listen(Hear);
            if (Interlocked.CompareExchange(ref _listening, listening, null) is not null)
            {
                listening.Dispose();
            }
        }
    }

    private void Hear(StoreHint hint)
    {
        if ((hint.Kinds & StoreHintKinds.Ended) == StoreHintKinds.None)
        {
            return;
        }

        lock (_lock)
        {
            if (_waiters.Count == 0)
            {
                return;
            }

            for (var i = 0; i < hint.TaskIds.Count; i++)
            {
                if (_waiters.TryGetValue(hint.TaskIds[i], out var same))
                {
                    same.ForEach(waiter => waiter.Wake());
                }
            }
        }

        if (hint.TaskIds.IsAny)
        {
            _wake.Set();
        }
    }

    private async Task KeepAskingAsync()
    {
        try
        {
            while (HasWaiters())
            {
                await _wake.WaitAsync(options.PollInterval, lifetime.WaitsEnded).ConfigureAwait(false);
                var began = TimeProvider.System.GetTimestamp();
                await AskAsync().ConfigureAwait(false);

                // Deliberately the system's clock: the pause limits the load on the store and does not depend on its
                // time.
                var pause = TimeProvider.System.GetElapsedTime(began) * Rest;
                await Task.Delay(
                    pause > _shortestPause ? pause : _shortestPause,
                    TimeProvider.System,
                    lifetime.WaitsEnded).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (lifetime.WaitsEnded.IsCancellationRequested)
        {
            // Every wait observes the same token.
        }
    }

    private bool HasWaiters()
    {
        lock (_lock)
        {
            _isAsking = _waiters.Count > 0;
            return _isAsking;
        }
    }

    /// <summary>
    /// Queries all awaited runs, and wakes the waits whose runs have ended or are no longer current. A failed query
    /// fails the waits that it was made for.
    /// </summary>
    private async Task AskAsync()
    {
        foreach (var asked in SelectKnown().Chunk(MostAsked))
        {
            try
            {
                var runs = Array.ConvertAll(asked, waiter => new AwaitedRun(waiter.TaskId, waiter.JobId!));
                var ended = (await calls.AskAsync(
                    ClientCall.Read(nameof(ITaskClient.WaitAsync)),
                    runs,
                    static (store, runs, token) => store.FindEndedRunsAsync(runs, token),
                    lifetime.WaitsEnded).ConfigureAwait(false)).ToHashSet();
                foreach (var waiter in asked.Where(
                    waiter => ended.Contains(new AwaitedRun(waiter.TaskId, waiter.JobId!))))
                {
                    waiter.Wake();
                }
            }
            catch (Exception e) when (!lifetime.WaitsEnded.IsCancellationRequested)
            {
                Array.ForEach(asked, waiter => waiter.Fail(e));
            }
        }
    }

    /// <summary>
    /// Returns the waits whose runs are known. The others are in their first read, which may be too early; they are
    /// woken to read again.
    /// </summary>
    private List<Waiter> SelectKnown()
    {
        lock (_lock)
        {
            var all = _waiters.Values.SelectMany(same => same).ToLookup(waiter => waiter.JobId is not null);
            foreach (var waiter in all[false])
            {
                waiter.Wake();
            }

            return [.. all[true]];
        }
    }

    private void Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (_waiters.TryGetValue(waiter.TaskId, out var same) && same.Remove(waiter) && same.Count == 0)
            {
                _waiters.Remove(waiter.TaskId);
            }
        }
    }

    /// <summary>One wait, from before its first read until its disposal.</summary>
    public sealed class Waiter(WaiterHub hub, string taskId, WakeSignal signal) : IDisposable
    {
        private volatile Exception? _fault;
        private volatile string? _jobId;

        public string TaskId => taskId;

        /// <summary>The id of the awaited run; null until the first read has completed.</summary>
        public string? JobId
        {
            get => _jobId;
            set => _jobId = value;
        }

        /// <summary>Completes when the run may have ended.</summary>
        public async Task WaitAsync(CancellationToken cancellationToken)
        {
            await signal.WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            switch (_fault)
            {
                case null:
                    return;
                case TaskStoreTimeoutException:
                    throw new TaskStoreTimeoutException(
                        ClientCall.Read(nameof(ITaskClient.WaitAsync), taskId).ToString(),
                        hub.QuestionTimeout,
                        mayHaveHappened: false);
                case var fault:
                    ExceptionDispatchInfo.Throw(fault);
                    return;
            }
        }

        public void Wake() => signal.Set();

        public void Fail(Exception fault)
        {
            _fault = fault;
            signal.Set();
        }

        public void Dispose() => hub.Leave(this);
    }
}
