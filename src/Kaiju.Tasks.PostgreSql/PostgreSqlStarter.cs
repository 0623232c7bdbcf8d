using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Checks the tables when the host starts, so that a wrong schema fails the start and not the first task.
/// </summary>
internal sealed class PostgreSqlStarter(PostgreSqlTaskStore store) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => store.StartAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
