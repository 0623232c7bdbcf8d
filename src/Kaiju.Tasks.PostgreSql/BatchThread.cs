using Kaiju.Tasks.Relational;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// <see cref="Batches{TItem, TAnswer}"/> with a thread of its own, for a connection that is used synchronously. So no
/// other thread must wake up between the server's answer and the next statement, which costs as much as the statement.
/// The thread starts with the first call.
/// </summary>
/// <param name="name">The thread's name.</param>
/// <param name="patience">
/// The longest wait of a batch for as many callers as the last batch had. Callers with answers often call again, each
/// on a thread that must wake up first. Without the wait the next batch would contain only the first of them. There is
/// no wait after a batch of one.
/// </param>
/// <param name="run">
/// The function that runs a batch and answers each item. Every caller of the batch gets the exception that it throws.
/// </param>
/// <param name="sizeOf">The approximate size of an item in bytes.</param>
internal sealed class BatchThread<TItem, TAnswer>(
    string name,
    TimeSpan patience,
    Func<IReadOnlyList<TItem>, IReadOnlyList<TAnswer>> run,
    Func<TItem, long> sizeOf) : IAsyncDisposable
{
    private const int Nothing = int.MaxValue;

    private readonly Queue<BatchedCall<TItem, TAnswer>> _waiting = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;

    /// <summary>The number of waiting calls at which the thread is to be woken.</summary>
    private int _wanted = Nothing;
    private bool _isDisposed;

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
        lock (_waiting)
        {
            _isDisposed = true;
            if (_thread is null)
            {
                return;
            }

            Monitor.Pulse(_waiting);
        }

        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Fails the calls that have not started yet.</summary>
    public void Abandon()
    {
        lock (_waiting)
        {
            _isDisposed = true;
            while (_waiting.TryDequeue(out var call))
            {
                call.TrySetException(ClosedStore.Fault());
            }
        }
    }

    private Task<IReadOnlyList<TAnswer>> Add(IReadOnlyList<TItem> items, long bytes)
    {
        var call = new BatchedCall<TItem, TAnswer>(items, bytes);
        lock (_waiting)
        {
            ClosedStore.ThrowIf(_isDisposed);
            _waiting.Enqueue(call);
            if (_thread is null)
            {
                _thread = new Thread(Run) { Name = name, IsBackground = true };
                _thread.UnsafeStart();
            }
            else if (_waiting.Count == _wanted)
            {
                Monitor.Pulse(_waiting);
            }
        }

        return call.Task;
    }

    private void Run()
    {
        for (var before = 0; Take(before) is { Calls: > 0 } batch; before = batch.Calls)
        {
            try
            {
                batch.Answer(run(batch.Items));
            }
            catch (Exception e)
            {
                batch.Fail(e);
            }
        }

        _ended.SetResult();
    }

    /// <summary>Waits for the next batch; an empty one means the end.</summary>
    private Batch<TItem, TAnswer> Take(int before)
    {
        lock (_waiting)
        {
            if (before > 1 && _waiting.Count < before && !_isDisposed)
            {
                _wanted = before;
                Monitor.Wait(_waiting, patience);
            }

            _wanted = 1;
            while (_waiting.Count == 0 && !_isDisposed)
            {
                Monitor.Wait(_waiting);
            }

            _wanted = Nothing;
            return Batch<TItem, TAnswer>.Take(_waiting);
        }
    }
}
