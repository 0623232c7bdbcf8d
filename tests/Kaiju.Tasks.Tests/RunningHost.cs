using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests;

/// <summary>
/// The whole engine with its loops running. It uses fake time that the test moves, or real time with short intervals
/// where the loops must find everything on their own. Tests wait for signals either way.
/// </summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _running;

    public RunningHost(
        Action<KaijuTasksBuilder>? build = null,
        Action<KaijuTasksOptions>? configure = null,
        Func<ITaskStore, ITaskStore>? store = null,
        bool realTime = false)
    {
        var services = new ServiceCollection();
        TimeProvider time = realTime ? TimeProvider.System : Clock;
        services.AddSingleton(time);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        services.AddSingleton<MemoryTaskStore>();
        if (store is null)
        {
            // Registered directly: the engine's registration is refused in a host without all roles.
            services.AddSingleton<ITaskStore>(provider => provider.GetRequiredService<MemoryTaskStore>());
        }
        else
        {
            services.AddSingleton(provider => store(provider.GetRequiredService<MemoryTaskStore>()));
            services.AddSingleton<ITaskQueue>(
                provider => new QueueOver(
                    provider.GetRequiredService<MemoryTaskStore>(), time, provider.GetRequiredService<ITaskStore>()));
        }

        var tasks = services.AddKaijuTasks(options =>
        {
            options.RetryDelay = RetryDelay.None;
            if (realTime)
            {
                options.PollInterval = TimeSpan.FromMilliseconds(10);
                options.MaxFaultDelay = TimeSpan.FromMilliseconds(100);
                options.ClaimCheckInterval = TimeSpan.FromMilliseconds(100);
            }

            configure?.Invoke(options);
        });
        build?.Invoke(tasks);
        _services = services.BuildServiceProvider();
        _running = HostedServices.Start(_services);
    }

    public TestClock Clock { get; } = new();

    public RecordedLogs Logs { get; } = new();

    public ITaskClient Client => _services.GetRequiredService<ITaskClient>();

    public IServiceProvider Services => _services;

    public KaijuTasksOptions Options => _services.GetRequiredService<IOptions<KaijuTasksOptions>>().Value;

    public Task StopAsync() => HostedServices.StopAsync(_running);

    /// <summary>Disposes everything without stopping it first.</summary>
    public ValueTask AbandonAsync()
    {
        _running.Clear();
        return _services.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().Soon();
        await _services.DisposeAsync();
    }

    /// <summary>Claims from the store itself and waits as a queue without hints does.</summary>
    private sealed class QueueOver(
        MemoryTaskStore store, TimeProvider clock, ITaskStore outer) : ITaskQueue, IDisposable
    {
        private readonly MemoryTaskQueue _queue = new(store, clock);

        public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => default;

        public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
            ClaimRequest request, CancellationToken cancellationToken) =>
            outer is FaultyStore faulty
                ? faulty.ClaimNextAsync(_queue, request, cancellationToken)
                : _queue.ClaimAsync(request, cancellationToken);

        public async ValueTask WaitAsync(
            ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken)
        {
            if (outer is DecoratedStore { HintsReachQueue: false })
            {
                await Task.Delay(timeout, clock, cancellationToken);
            }
            else
            {
                await _queue.WaitAsync(executor, timeout, cancellationToken);
            }
        }

        public void Dispose() => _queue.Dispose();
    }
}
