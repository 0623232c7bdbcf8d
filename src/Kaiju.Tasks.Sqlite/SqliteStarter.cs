using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Opens the file when the host starts, so that an unfit file fails the start and not the first task.
/// </summary>
internal sealed class SqliteStarter(SqliteTaskStore store) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => store.StartAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
