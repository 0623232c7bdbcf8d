namespace Kaiju.Tasks.Engine;

/// <summary>The progress of an executor's stop. Runs read it before they begin new work.</summary>
internal sealed class ExecutorStop : IDisposable
{
    private readonly CancellationTokenSource _abandon = new();
    private volatile bool _hasBegun;
    private volatile bool _isDraining;

    public ExecutorStop() => Abandoned = _abandon.Token;

    /// <summary>True once no more tasks are claimed and no more stages begin.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>True once the executor waits for its runs. Runs that stop are released at once.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Cancelled when the stop no longer waits, not even for reports.</summary>
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
