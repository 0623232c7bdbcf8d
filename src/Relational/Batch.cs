namespace Kaiju.Tasks.Relational;

/// <summary>What one caller wants, until it is answered.</summary>
internal sealed class BatchedCall<TItem, TAnswer>(IReadOnlyList<TItem> items)
    : TaskCompletionSource<IReadOnlyList<TAnswer>>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<TItem> Items => items;
}

/// <summary>Calls that are carried out together: each gets the answers to its own items, or the one fault that befell all.</summary>
internal sealed class Batch<TItem, TAnswer>
{
    /// <summary>About how many items a batch may have.</summary>
    private const int Most = 1000;

    private readonly List<BatchedCall<TItem, TAnswer>> _calls = [];
    private int _count;

    public int Calls => _calls.Count;

    public IReadOnlyList<TItem> Items => _calls.Count == 1 ? _calls[0].Items : [.. _calls.SelectMany(call => call.Items)];

    /// <summary>The calls at the head of a queue that go together.</summary>
    public static Batch<TItem, TAnswer> Take(Queue<BatchedCall<TItem, TAnswer>> waiting)
    {
        var batch = new Batch<TItem, TAnswer>();
        while (batch._count < Most && waiting.TryDequeue(out var next))
        {
            batch._calls.Add(next);
            batch._count += next.Items.Count;
        }

        return batch;
    }

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
