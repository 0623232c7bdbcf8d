using System.Collections.Concurrent;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Callers at the same time share a round trip and a commit: what comes while a batch is on its way is the next batch. Who comes alone
/// waits for nothing and for nobody, and begins its batch on its own thread.
/// </summary>
/// <param name="carryOut">Carries a batch out, and answers for each item. What it throws, every caller of the batch gets.</param>
internal sealed class Batches<TItem, TAnswer>(Func<IReadOnlyList<TItem>, CancellationToken, ValueTask<IReadOnlyList<TAnswer>>> carryOut) : IAsyncDisposable
{
    private readonly ConcurrentQueue<BatchedCall<TItem, TAnswer>> _waiting = new();
    private int _isBusy;
    private volatile bool _isDisposed;

    public async ValueTask<IReadOnlyList<TAnswer>> AddAsync(IReadOnlyList<TItem> items, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return await Add(items).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends when everything that was added before is answered.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await Add([]).ConfigureAwait(false);
    }

    private Task<IReadOnlyList<TAnswer>> Add(IReadOnlyList<TItem> items)
    {
        var call = new BatchedCall<TItem, TAnswer>(items);
        _waiting.Enqueue(call);
        _ = CarryOutAsync();
        return call.Task;
    }

    /// <summary>Goes on as long as there is something, unless somebody does already. Whoever ends looks again: what came meanwhile found it busy.</summary>
    private async Task CarryOutAsync()
    {
        while (!_waiting.IsEmpty && Interlocked.Exchange(ref _isBusy, 1) == 0)
        {
            while (Take() is { Calls: > 0 } batch)
            {
                await CarryOutAsync(batch).ConfigureAwait(false);

                // Those who have their answers often have more: they go first, so that they are one batch again.
                await Task.Yield();
            }

            Volatile.Write(ref _isBusy, 0);
        }
    }

    private Batch<TItem, TAnswer> Take()
    {
        var batch = new Batch<TItem, TAnswer>();
        while (!batch.IsFull && _waiting.TryDequeue(out var next))
        {
            batch.Add(next);
        }

        return batch;
    }

    private async Task CarryOutAsync(Batch<TItem, TAnswer> batch)
    {
        try
        {
            var items = batch.Items;
            batch.Answer(items.Count == 0 ? [] : await carryOut(items, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            batch.Fail(e);
        }
    }
}
