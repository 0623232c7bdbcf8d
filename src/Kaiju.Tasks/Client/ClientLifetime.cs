using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Ends the client's calls with their host. Waits end when the host's own tasks have drained. Other calls end when the
/// host has stopped, so that services that stop later can still create tasks. Disposal of the container ends both.
/// </summary>
internal sealed class ClientLifetime : IDisposable
{
    private readonly CancellationTokenSource _waits = new();
    private readonly CancellationTokenSource _calls = new();
    private readonly CancellationTokenRegistration _stopped;

    public ClientLifetime(IHostApplicationLifetime? application = null) =>
        _stopped = application?.ApplicationStopped.Register(End) ?? default;

    /// <summary>Cancelled when waits must end.</summary>
    public CancellationToken WaitsEnded => _waits.Token;

    /// <summary>Cancelled when all calls must end.</summary>
    public CancellationToken Ended => _calls.Token;

    public void EndWaits() => _waits.Cancel();

    public void Dispose()
    {
        _stopped.Dispose();
        End();
    }

    // The sources are not disposed, so that later calls find them cancelled.
    private void End()
    {
        _waits.Cancel();
        _calls.Cancel();
    }
}
