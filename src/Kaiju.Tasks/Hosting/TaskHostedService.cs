using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Hosting;

/// <summary>
/// Starts the loops of the host's roles after the whole host has started, so that a failed start has not claimed tasks.
/// Stops them in order: first the claims, then the stages, then the other loops.
/// </summary>
internal sealed class TaskHostedService : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    /// <summary>The longest time that a disposal waits for pending calls of the store.</summary>
    private static readonly TimeSpan _disposalPatience = TimeSpan.FromSeconds(5);

    private readonly IServiceProvider _services;
    private readonly KaijuTasksOptions _options;
    private readonly TimeProvider _clock;
    private readonly HostEnd _end;
    private readonly ClientLifetime _clients;
    private readonly ILogger _logger;
    private readonly TaskExecutor? _executor;
    private readonly CancellationTokenSource _claiming = new();
    private readonly CancellationTokenSource _everything = new();
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenRegistration _started;
    private Task _claimLoop = Task.CompletedTask;
    private int _hasBegun;
    private int _hasStopped;
    private int _isDisposed;

    public TaskHostedService(
        IServiceProvider services,
        IOptions<KaijuTasksOptions> options,
        TimeProvider clock,
        HostEnd end,
        ClientLifetime clients,
        ILogger<TaskHostedService> logger)
    {
        // Reading the value validates all options, even in a host that does not validate them at its start.
        (_services, _options, _clock, _end, _clients, _logger) = (
            services, options.Value, clock, end, clients, logger.Guarded());

        // A container disposes of its services in reverse order. The store and the executor are created before this
        // service, so that they still exist when a host is disposed of without a stop.
        _ = services.GetRequiredService<ITaskStore>();
        _executor = _options.Roles.HasFlag(TaskRoles.Executor) ? services.GetRequiredService<TaskExecutor>() : null;

        // A host that does not support lifecycle services still signals its start here.
        _started = services.GetService<IHostApplicationLifetime>()?.ApplicationStarted.UnsafeRegister(
            static self => ((TaskHostedService)self!).Begin(), this) ?? default;
    }

    /// <summary>True once the loops have been started.</summary>
    public bool HasBegun => Volatile.Read(ref _hasBegun) == 1;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_executor is not null)
        {
            // Binds every command, so that a handler that cannot be bound fails the start and not its first task.
            _services.GetRequiredService<CommandCatalog>();
        }

        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Begin();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _end.Begin();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) =>
        StopAsync(_options.StopTimeout, cancellationToken, cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Stops the loops and releases the claimed tasks of a host that is disposed of without a stop, such as one whose
    /// start failed.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        await _started.DisposeAsync().ConfigureAwait(false);
        using var calls = _loops.Count > 0
            ? new CancellationTokenSource(_disposalPatience, _clock)
            : new CancellationTokenSource();
        await StopAsync(TimeSpan.Zero, calls.Token, CancellationToken.None).ConfigureAwait(false);
        _claiming.Dispose();
        _everything.Dispose();
    }

    // Not on the caller's thread: if its context has only that thread, the wait would never end.
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    private void Begin()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) == 1 || _hasStopped == 1)
        {
            return;
        }

        if (_executor is not null)
        {
            Run("Heartbeat", Loop<HeartbeatLoop>(_executor).RunAsync, _everything.Token);
            Run("ClaimCheck", Loop<ClaimCheckLoop>(_executor).RunAsync, _everything.Token);
            _claimLoop = Run("Executor", Loop<ExecutorLoop>(_executor.Claimer).RunAsync, _claiming.Token);
        }

        if (_options.Roles.HasFlag(TaskRoles.Manager))
        {
            Run("Manager", Loop<ManagerLoop>().RunAsync, _everything.Token);
            Run("Watch", Loop<WatchLoop>().RunAsync, _everything.Token);
            Run("Hold", Loop<HoldLoop>().RunAsync, _everything.Token);
            if (_services.GetServices<INotificationSink>().Any())
            {
                Run("Notification", Loop<NotificationLoop>().RunAsync, _everything.Token);
            }

            if (_options is { DeleteEndedAfter: not null } or { DeleteFailedAfter: not null }
                or { DeleteNotificationsAfter: not null })
            {
                Run("CleanUp", Loop<CleanUpLoop>().RunAsync, _everything.Token);
            }
        }

        Run("Attendance", Loop<AttendanceLoop>().RunAsync, _everything.Token);
        Log.Started(_logger, _options.AppName, _options.Roles);
        WarnOfSettings();
    }

    /// <summary>Warns of options that are allowed but are probably a mistake.</summary>
    private void WarnOfSettings()
    {
        if (_options.Roles.HasFlag(TaskRoles.Client | TaskRoles.Executor) && !_options.Apps.Contains(_options.AppName))
        {
            Log.AppOfOthers(_logger, _options.AppName, string.Join(", ", _options.Apps));
        }

        if (_options.Roles.HasFlag(TaskRoles.Manager))
        {
            return;
        }

        var sinks = _services.GetRequiredService<RegisteredServices>().NamesOf(typeof(INotificationSink)).ToList();
        if (sinks.Count > 0)
        {
            Log.SinkWithoutManager(_logger, string.Join(", ", sinks));
        }
    }

    /// <summary>Stops the loops. Later calls return at once.</summary>
    /// <param name="patience">The time for stages to end before their tokens are cancelled.</param>
    /// <param name="calls">Cancels the waits for pending calls of the store.</param>
    /// <param name="cancellationToken">Cancels the waits for stages; the stop still completes.</param>
    private async Task StopAsync(TimeSpan patience, CancellationToken calls, CancellationToken cancellationToken)
    {
        _end.Begin();
        if (Interlocked.Exchange(ref _hasStopped, 1) == 1)
        {
            return;
        }

        if (!HasBegun)
        {
            _clients.EndWaits();
            return;
        }

        try
        {
            _executor?.BeginStop();
            await CancelAsync(_claiming).ConfigureAwait(false);

            // A pending claim must complete before all claimed tasks are released.
            await _claimLoop.WaitAsync(calls).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_executor is not null)
            {
                await _executor.DrainAsync(patience, cancellationToken).ConfigureAwait(false);
                if (cancellationToken.IsCancellationRequested && _executor.IsRunning)
                {
                    Log.HostStopsEarly(_logger, patience, _options.StopCancelTimeout);
                }
            }
        }
        finally
        {
            // Heartbeats continue until here. A later one would register the executor again.
            await CancelAsync(_everything).ConfigureAwait(false);
            await Task.WhenAll(_loops).WaitAsync(calls).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (_executor is not null)
                {
                    await _executor.GiveBackAsync().ConfigureAwait(false);
                }
            }
            finally
            {
                // Not earlier: while the executor drains, a handler may wait for another task.
                _clients.EndWaits();
            }
        }
    }

    /// <summary>
    /// Cancels a token. Sinks and adapters may register callbacks on it; the exception of a callback does not interrupt
    /// the stop.
    /// </summary>
    private async Task CancelAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.CancellationFailed(_logger, e);
        }
    }

    private T Loop<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        params object[] parts) =>
        ActivatorUtilities.CreateInstance<T>(_services, [_options, .. parts]);

    private Task Run(string name, Func<CancellationToken, Task> loop, CancellationToken cancellationToken)
    {
        var running = Task.Run(() => KeepRunningAsync(name, loop, cancellationToken), CancellationToken.None);
        _loops.Add(running);
        return running;
    }

    /// <summary>
    /// Runs a loop until the stop. Loops handle expected failures themselves; after an unexpected one the loop is
    /// restarted, and the failure is logged.
    /// </summary>
    private async Task KeepRunningAsync(
        string name, Func<CancellationToken, Task> loop, CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(_clock, _options.MaxFaultDelay);
        var episode = new FaultEpisode(_clock);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await loop(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                if (episode.Fail() != FaultNews.None)
                {
                    Log.LoopBroke(_logger, e, name, delay.Next);
                }

                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
