namespace Kaiju.Tasks.Relational;

/// <summary>What one caller wants, until it is answered.</summary>
/// <param name="items">What the call is about.</param>
/// <param name="bytes">About how many bytes travel with them.</param>
internal sealed class BatchedCall<TItem, TAnswer>(IReadOnlyList<TItem> items, long bytes)
    : TaskCompletionSource<IReadOnlyList<TAnswer>>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<TItem> Items => items;

    public long Bytes => bytes;
}

/// <summary>
/// Calls that are carried out together: each gets the answers to its own items, or the one fault that befell all.
/// </summary>
internal sealed class Batch<TItem, TAnswer>
{
    private readonly List<BatchedCall<TItem, TAnswer>> _calls = [];
    private int _count;
    private long _bytes;

    public int Calls => _calls.Count;

    public IReadOnlyList<TItem> Items =>
        _calls.Count == 1 ? _calls[0].Items : [.. _calls.SelectMany(call => call.Items)];

    /// <summary>The calls at the head of a queue that go together.</summary>
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

    /// <summary>Nobody knows what has happened; each caller tries again or says so.</summary>
    public void Fail(Exception fault) => _calls.ForEach(call => call.TrySetException(fault));
}
