namespace Kaiju.Tasks.Engine;

/// <summary>How far an executor's stop has come; what runs looks here before it begins something new.</summary>
internal sealed class ExecutorStop : IDisposable
{
    private readonly CancellationTokenSource _abandon = new();
    private volatile bool _hasBegun;
    private volatile bool _isDraining;

    public ExecutorStop() => Abandoned = _abandon.Token;

    /// <summary>No task is claimed and no stage begun any more.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>Runs are waited for, and those that have stopped are given back at once.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Cancelled when nothing is waited for any more, not even reports.</summary>
    public CancellationToken Abandoned { get; }

    public void Begin() => _hasBegun = true;

    public void BeginDrain()
    {
        Begin();
        _isDraining = true;
    }

    public Task AbandonAsync() => _abandon.CancelAsync();

    public void Dispose()
    {
        Begin();
        _abandon.Cancel();
        _abandon.Dispose();
    }
}
