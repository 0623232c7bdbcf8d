namespace Kaiju.Tasks.Relational;

/// <summary>One caller's items, with the task that completes when they are answered.</summary>
/// <param name="items">The items, in the order of their answers.</param>
/// <param name="bytes">The approximate size of the items in bytes.</param>
internal sealed class BatchedCall<TItem, TAnswer>(IReadOnlyList<TItem> items, long bytes)
    : TaskCompletionSource<IReadOnlyList<TAnswer>>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<TItem> Items => items;

    public long Bytes => bytes;
}

/// <summary>
/// Calls that run together. Each gets the answers to its own items, or the one exception that failed the batch.
/// </summary>
internal sealed class Batch<TItem, TAnswer>
{
    private readonly List<BatchedCall<TItem, TAnswer>> _calls = [];
    private int _count;
    private long _bytes;

    public int Calls => _calls.Count;

    public IReadOnlyList<TItem> Items =>
        _calls.Count == 1 ? _calls[0].Items : [.. _calls.SelectMany(call => call.Items)];

    /// <summary>Takes from the head of a queue the calls that fit into one batch.</summary>
    public static Batch<TItem, TAnswer> Take(Queue<BatchedCall<TItem, TAnswer>> waiting)
    {
        var batch = new Batch<TItem, TAnswer>();
        while (waiting.TryPeek(out var next) && batch.HasRoomFor(next))
        {
            batch._calls.Add(waiting.Dequeue());
            batch._count += next.Items.Count;
            batch._bytes += next.Bytes;
        }

        return batch;
    }

    private bool HasRoomFor(BatchedCall<TItem, TAnswer> call) =>
        _calls.Count == 0 || (_count < Pieces.Most && _bytes + call.Bytes <= Pieces.MostBytes);

    public void Answer(IReadOnlyList<TAnswer> answers)
    {
        var place = 0;
        foreach (var call in _calls)
        {
            var own = new TAnswer[call.Items.Count];
            for (var i = 0; i < own.Length; i++)
            {
                own[i] = answers[place++];
            }

            call.TrySetResult(own);
        }
    }

    /// <summary>Fails every call: the outcome is unknown, so each caller retries or reports it.</summary>
    public void Fail(Exception fault) => _calls.ForEach(call => call.TrySetException(fault));
}
