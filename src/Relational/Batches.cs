using System.Collections.Concurrent;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Callers at the same time share a round trip and a commit: what comes while a batch is on its way is the next batch. Who comes alone
/// waits for nothing and for nobody, and begins its batch on its own thread.
/// </summary>
/// <param name="carryOut">Carries a batch out, and answers for each item. What it throws, every caller of the batch gets.</param>
internal sealed class Batches<TItem, TAnswer>(Func<IReadOnlyList<TItem>, CancellationToken, ValueTask<IReadOnlyList<TAnswer>>> carryOut) : IAsyncDisposable
{
    /// <summary>About how many items a batch may have.</summary>
    private const int Most = 1000;

    private readonly ConcurrentQueue<Waiting> _waiting = new();
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
        var waiting = new Waiting(items);
        _waiting.Enqueue(waiting);
        _ = CarryOutAsync();
        return waiting.Answers.Task;
    }

    /// <summary>Goes on as long as there is something, unless somebody does already. Whoever ends looks again: what came meanwhile found it busy.</summary>
    private async Task CarryOutAsync()
    {
        while (!_waiting.IsEmpty && Interlocked.Exchange(ref _isBusy, 1) == 0)
        {
            while (Take() is { Count: > 0 } batch)
            {
                await CarryOutAsync(batch).ConfigureAwait(false);

                // Those who have their answers often have more: they go first, so that they are one batch again.
                await Task.Yield();
            }

            Volatile.Write(ref _isBusy, 0);
        }
    }

    private List<Waiting> Take()
    {
        var batch = new List<Waiting>();
        for (var count = 0; count < Most && _waiting.TryDequeue(out var next); count += next.Items.Count)
        {
            batch.Add(next);
        }

        return batch;
    }

    private async Task CarryOutAsync(List<Waiting> batch)
    {
        try
        {
            IReadOnlyList<TItem> items = batch.Count == 1 ? batch[0].Items : [.. batch.SelectMany(waiting => waiting.Items)];
            var answers = items.Count == 0 ? [] : await carryOut(items, CancellationToken.None).ConfigureAwait(false);
            var place = 0;
            foreach (var waiting in batch)
            {
                var own = new TAnswer[waiting.Items.Count];
                for (var i = 0; i < own.Length; i++)
                {
                    own[i] = answers[place++];
                }

                waiting.Answers.TrySetResult(own);
            }
        }
        catch (Exception e)
        {
            // Nobody knows what has happened; each caller tries again or says so.
            batch.ForEach(waiting => waiting.Answers.TrySetException(e));
        }
    }

    private sealed record Waiting(IReadOnlyList<TItem> Items)
    {
        public TaskCompletionSource<IReadOnlyList<TAnswer>> Answers { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
