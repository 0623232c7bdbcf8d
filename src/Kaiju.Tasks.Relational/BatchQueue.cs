namespace Kaiju.Tasks.Relational;

/// <summary>
/// Calls that wait for the next batch, and whether a worker takes them. Both are decided under one lock: a worker that
/// finds no call is released at that moment. So each call is either taken by the worker or makes its caller the worker.
/// </summary>
internal sealed class BatchQueue<TItem, TAnswer>
{
    private readonly Lock _lock = new();
    private readonly Queue<BatchedCall<TItem, TAnswer>> _waiting = new();
    private bool _hasWorker;
    private bool _isClosed;

    /// <summary>Adds a call.</summary>
    /// <returns>
    /// True if there is no worker: the caller must become the worker and take batches until there are none.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public bool Add(BatchedCall<TItem, TAnswer> call)
    {
        lock (_lock)
        {
            return _isClosed ? throw ClosedStore.Fault() : Enqueue(call);
        }
    }

    /// <summary>Adds the last call.</summary>
    /// <returns>As for <see cref="Add"/>.</returns>
    public bool Close(BatchedCall<TItem, TAnswer> last)
    {
        lock (_lock)
        {
            _isClosed = true;
            return Enqueue(last);
        }
    }

    /// <summary>Takes the worker's next batch. Null: there is none, and the worker is released.</summary>
    public Batch<TItem, TAnswer>? Take()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _hasWorker = false;
                return null;
            }

            return Batch<TItem, TAnswer>.Take(_waiting);
        }
    }

    private bool Enqueue(BatchedCall<TItem, TAnswer> call)
    {
        _waiting.Enqueue(call);
        var isFirst = !_hasWorker;
        _hasWorker = true;
        return isFirst;
    }
}
