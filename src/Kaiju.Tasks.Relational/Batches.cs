using System.Runtime.CompilerServices;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Concurrent callers share a round trip and a commit: calls that are added while a batch runs form the next batch. A
/// lone caller is not delayed, and its batch begins on its own thread. See docs/decisions/0008.
/// </summary>
/// <param name="run">
/// The function that runs a batch and answers each item. Every caller of the batch gets the exception that it throws.
/// </param>
/// <param name="sizeOf">The approximate size of an item in bytes.</param>
internal sealed class Batches<TItem, TAnswer>(
    Func<IReadOnlyList<TItem>,
    CancellationToken,
    ValueTask<IReadOnlyList<TAnswer>>> run,
    Func<TItem, long> sizeOf) : IAsyncDisposable
{
    private readonly BatchQueue<TItem, TAnswer> _queue = new();

    public async ValueTask<IReadOnlyList<TAnswer>> AddAsync(
        IReadOnlyList<TItem> items, CancellationToken cancellationToken)
    {
        var bytes = Pieces.SizeOf(items, sizeOf);
        if (items.Count <= Pieces.Most && bytes <= Pieces.MostBytes)
        {
            return await Add(items, bytes).WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        var pieces = Pieces.Of(items, sizeOf).Select(piece => Add(piece, Pieces.SizeOf(piece, sizeOf))).ToList();
        return [
            .. (await Task
                .WhenAll(pieces).WaitAsync(cancellationToken).ConfigureAwait(false)).SelectMany(answers => answers)];
    }

    /// <summary>Completes when every call that was added before is answered.</summary>
    public async ValueTask DisposeAsync()
    {
        var last = new BatchedCall<TItem, TAnswer>([], 0);
        StartIf(_queue.Close(last));
        await last.Task.ConfigureAwait(false);
    }

    private Task<IReadOnlyList<TAnswer>> Add(IReadOnlyList<TItem> items, long bytes)
    {
        var call = new BatchedCall<TItem, TAnswer>(items, bytes);
        StartIf(_queue.Add(call));
        return call.Task;
    }

    private void StartIf(bool isFirst)
    {
        if (isFirst)
        {
            _ = RunAllAsync();
        }
    }

    private async Task RunAllAsync()
    {
        while (_queue.Take() is { } batch)
        {
            await RunAsync(batch).ConfigureAwait(false);

            // Callers with answers often have more calls: let them add these first, so that they form one batch again.
            await default(BehindOthers);
        }
    }

    private async Task RunAsync(Batch<TItem, TAnswer> batch)
    {
        try
        {
            var items = batch.Items;
            batch.Answer(items.Count == 0 ? [] : await run(items, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            batch.Fail(e);
        }
    }

    /// <summary>
    /// Continues on the thread pool, behind the work queued there. <c>Task.Yield</c> would continue in the context of
    /// the first caller.
    /// </summary>
    private readonly struct BehindOthers : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public BehindOthers GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) =>
            ThreadPool.QueueUserWorkItem(static next => next(), continuation, preferLocal: false);

        public void UnsafeOnCompleted(Action continuation) =>
            ThreadPool.UnsafeQueueUserWorkItem(static next => next(), continuation, preferLocal: false);
    }
}
