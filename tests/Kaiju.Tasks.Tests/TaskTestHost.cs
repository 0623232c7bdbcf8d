using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests;

/// <summary>
/// The whole engine over the in-memory store on fake time, driven step by step instead of by loops. A test decides the
/// order of events and never waits.
/// </summary>
internal sealed class TaskTestHost : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    private readonly ServiceProvider _services;

    public TaskTestHost(
        Action<KaijuTasksBuilder>? build = null,
        Action<KaijuTasksOptions>? configure = null,
        ITaskStore? store = null,
        FakeTimeProvider? clock = null)
    {
        Clock = clock ?? new FakeTimeProvider(Start);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        if (store is not null)
        {
            services.AddSingleton(store);
        }

        var builder = services.AddKaijuTasks(options =>
        {
            options.RetryDelay = RetryDelay.None;
            configure?.Invoke(options);
        });
        build?.Invoke(builder);
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true });
    }

    public FakeTimeProvider Clock { get; }

    public RecordedLogs Logs { get; } = new();

    public IServiceProvider Services => _services;

    public ITaskClient Client => _services.GetRequiredService<ITaskClient>();

    public ITaskStore Store => _services.GetRequiredService<ITaskStore>();

    public TaskManager Manager => _services.GetRequiredService<TaskManager>();

    public TaskExecutor Executor => _services.GetRequiredService<TaskExecutor>();

    public KaijuTasksOptions Options => _services.GetRequiredService<IOptions<KaijuTasksOptions>>().Value;

    public DateTimeOffset Now => Clock.GetUtcNow();

    /// <summary>Another executor over the same store, as in another process.</summary>
    public TaskExecutor NewExecutor() => ActivatorUtilities.CreateInstance<TaskExecutor>(_services, Options);

    /// <summary>Ticks, claims and runs until no work is left at this time.</summary>
    public async Task RunUntilIdleAsync()
    {
        int work;
        do
        {
            work = (await Manager.TickAsync(default)).Moved + await Executor.Claimer.ClaimAsync(default);
            await Executor.WhenIdleAsync();
        }
        while (work > 0);
    }

    public async Task AdvanceAsync(TimeSpan time)
    {
        Clock.Advance(time);
        await RunUntilIdleAsync();
    }

    /// <summary>Advances the clock while a manager keeps the watch and does nothing else.</summary>
    public async Task WatchForAsync(TimeSpan time)
    {
        await Manager.WatchAsync(default);
        for (var step = Options.PingInterval / 3; time > TimeSpan.Zero; time -= step)
        {
            Clock.Advance(time < step ? time : step);
            await Manager.WatchAsync(default);
        }
    }

    public async Task<TaskRecord> GetAsync(string id) =>
        await Client.GetAsync(id) ?? throw new InvalidOperationException($"There is no task {id}.");

    /// <summary>Creates a task, runs all work that is due, and returns the task.</summary>
    public async Task<TaskRecord> RunAsync(TaskDefinition definition)
    {
        var created = await Client.CreateAsync(definition);
        await RunUntilIdleAsync();
        return await GetAsync(created.TaskId);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
