using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Hosting;

/// <summary>Starts the loops of the host's roles and stops them in order: first no more claims, then the work, then the rest.</summary>
internal sealed class TaskHostedService(IServiceProvider services, IOptions<KaijuTasksOptions> options, ILogger<TaskHostedService> logger)
    : IHostedService, IDisposable
{
    private readonly ILogger _logger = logger.Guarded();
    private readonly CancellationTokenSource _claiming = new();
    private readonly CancellationTokenSource _everything = new();
    private readonly List<Task> _loops = [];
    private Task _claimLoop = Task.CompletedTask;
    private TaskExecutor? _executor;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Reading the value checks all options, also in a host that does not ask for it by itself.
        var roles = options.Value.Roles;
        if (roles.HasFlag(TaskRoles.Executor))
        {
            // Binds every command, so that a handler that cannot be bound fails the start and not its first task.
            services.GetRequiredService<CommandCatalog>();
            _executor = services.GetRequiredService<TaskExecutor>();
            Run(Loop<HeartbeatLoop>(_executor).RunAsync, _everything.Token);
            _claimLoop = Run(Loop<ExecutorLoop>(_executor).RunAsync, _claiming.Token);
        }

        if (roles.HasFlag(TaskRoles.Manager))
        {
            Run(Loop<ManagerLoop>().RunAsync, _everything.Token);
            Run(Loop<WatchLoop>().RunAsync, _everything.Token);
            if (services.GetServices<INotificationSink>().Any())
            {
                Run(Loop<NotificationLoop>().RunAsync, _everything.Token);
            }

            if (options.Value is { DeleteEndedAfter: not null } or { DeleteNotificationsAfter: not null })
            {
                Run(Loop<CleanUpLoop>().RunAsync, _everything.Token);
            }
        }

        Log.Started(_logger, options.Value.AppName, roles);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            _executor?.BeginStop();
            await _claiming.CancelAsync().ConfigureAwait(false);

            // A claim that is under way must have answered before all that is claimed is given back.
            await _claimLoop.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_executor is not null)
            {
                await _executor.DrainAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // Heartbeats until here, and none afterwards: one more would make the executor known again.
            await _everything.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(_loops).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (_executor is not null)
                {
                    await _executor.GiveBackAsync().ConfigureAwait(false);
                }
            }
            finally
            {
                // Not earlier: a handler may wait for another task while the work is drained.
                services.GetRequiredService<ClientLifetime>().EndWaits();
            }
        }
    }

    public void Dispose()
    {
        // A host whose start failed is disposed of without being stopped.
        _claiming.Cancel();
        _everything.Cancel();
        _claiming.Dispose();
        _everything.Dispose();
    }

    private T Loop<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(params object[] parts) =>
        ActivatorUtilities.CreateInstance<T>(services, [options.Value, .. parts]);

    private Task Run(Func<CancellationToken, Task> loop, CancellationToken cancellationToken)
    {
        var running = Task.Run(() => KeepRunningAsync(loop, cancellationToken), CancellationToken.None);
        _loops.Add(running);
        return running;
    }

    /// <summary>A loop meets its own faults; what gets through them is logged and the loop begun again, so that none dies unseen.</summary>
    private async Task KeepRunningAsync(Func<CancellationToken, Task> loop, CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(services.GetRequiredService<TimeProvider>(), options.Value.MaxFaultDelay);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await loop(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                Log.LoopBroke(_logger, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
