using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Client;

/// <summary>
/// When the client's calls end because their host does: waits when the host's own work is drained, every other call
/// when the host has stopped, so that services which stop later than ours can still create tasks. Disposal of the
/// container ends both.
/// </summary>
internal sealed class ClientLifetime : IDisposable
{
    private readonly CancellationTokenSource _waits = new();
    private readonly CancellationTokenSource _calls = new();
    private readonly CancellationTokenRegistration _stopped;

    public ClientLifetime(IHostApplicationLifetime? application = null) =>
        _stopped = application?.ApplicationStopped.Register(End) ?? default;

    /// <summary>Cancelled when no wait may go on.</summary>
    public CancellationToken WaitsEnded => _waits.Token;

    /// <summary>Cancelled when no call may go on.</summary>
    public CancellationToken Ended => _calls.Token;

    public void EndWaits() => _waits.Cancel();

    public void Dispose()
    {
        _stopped.Dispose();
        End();
    }

    // Neither source is disposed: calls that come later find them cancelled.
    private void End()
    {
        _waits.Cancel();
        _calls.Cancel();
    }
}
