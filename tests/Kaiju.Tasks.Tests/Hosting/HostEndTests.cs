using System.Collections.Concurrent;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Hosting;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Hosting;

/// <summary>A host that fails to start, or that ends without a stop, neither holds nor fails its tasks.</summary>
public sealed class HostEndTests
{
    private readonly MemoryTaskStore _store = new(
        TimeProvider.System, new KaijuTasksOptions().Rules, IdSource.Random, TaskLifecycle.Next);

    [Fact]
    public async Task Nothing_is_claimed_before_every_hosted_service_has_started()
    {
        var calls = 0;
        await CreateAsync("t", "do");
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = NewHost(tasks =>
        {
            tasks.AddCommand("do", () => Interlocked.Increment(ref calls));
            tasks.Services.AddHostedService(_ => new Starting(async () =>
            {
                begun.SetResult();
                await goes.Task;
            }));
        });

        var starting = host.StartAsync();
        await begun.Task.Soon();

        // Only the loops could claim, and each service of a host is started before the next one.
        host.Services.GetServices<IHostedService>().OfType<TaskHostedService>().Single().HasBegun.Should().BeFalse();
        goes.SetResult();
        await starting.Soon();
        await host.Services.GetRequiredService<ITaskClient>().WaitAsync("t").Soon();
        calls.Should().Be(1);
        await host.StopAsync().Soon();
    }

    [Fact]
    public async Task A_start_that_fails_elsewhere_leaves_tasks_as_they_were()
    {
        await CreateAsync("t", "do");
        using (var host = NewHost(tasks =>
        {
            tasks.AddCommand("do", () => 1);
            tasks.Services.AddHostedService(
                _ => new Starting(() => throw new InvalidOperationException("The port is taken.")));
        }))
        {
            await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<InvalidOperationException>();
        }

        (await _store.GetAsync("t", default))!.Should().Match<TaskRecord>(
            task => task.State == TaskState.Queued && task.Managed.Interruptions == 0);
        (await _store.ListExecutorsAsync(default)).Should().BeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_start_that_fails_once_tasks_are_claimed_releases_them(bool isAwaited)
    {
        var gate = new Gate();
        await CreateAsync("t", "slow");
        var host = NewHost(tasks =>
        {
            tasks.AddCommand("slow", gate.PassAsync);
            tasks.Services.AddHostedService(_ => new Starting(null, async () =>
            {
                await gate.Entered;
                throw new InvalidOperationException("The port is taken.");
            }));
        });
        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<InvalidOperationException>();

        await DisposeAsync(host, isAwaited);

        await ShouldBeReleasedAsync("t");
    }

    [Fact]
    public async Task A_host_that_only_signals_its_start_runs_tasks_too()
    {
        await CreateAsync("t", "do");
        using var lifetime = new Lifetime();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IHostApplicationLifetime>(lifetime);
        Add(services).AddCommand("do", () => 1);
        await using var provider = services.BuildServiceProvider();
        var service = provider.GetServices<IHostedService>().Single();

        await service.StartAsync(default);
        lifetime.Start();
        await provider.GetRequiredService<ITaskClient>().WaitAsync("t").Soon();

        await service.StopAsync(default);
    }

    [Fact]
    public async Task The_loops_of_a_disposed_host_end_before_its_store()
    {
        EndlessStore? store = null;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ITaskStore>(_ => store = new EndlessStore(_store));
        builder.Services.AddSingleton<ITaskQueue>(_ => new MemoryTaskQueue(_store, TimeProvider.System));
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Manager);
        var host = builder.Build();
        await host.StartAsync();
        await store!.Begun.Task.Soon();

        await DisposeAsync(host, true);

        store.Ends.Should().Equal("call", "store");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_effect_of_a_half_disposed_container_on_a_handler_is_not_a_failure(bool isAwaited)
    {
        await CreateAsync("t", "query");
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = NewHost(tasks =>
        {
            tasks.Services.AddSingleton<Database>();
            tasks.AddCommand("query", async (Database database) =>
            {
                entered.TrySetResult();
                await database.WhenDisposed;

                // As in users' code: the cause is wrapped in an exception of its own.
                throw new InvalidOperationException(
                    "The order cannot be read.", new ObjectDisposedException(nameof(Database)));
            });
        });
        await host.StartAsync();
        await entered.Task.Soon();

        await DisposeAsync(host, isAwaited);

        await ShouldBeReleasedAsync("t");
    }

    [Fact]
    public async Task A_task_whose_handler_ends_with_the_host_is_released_and_not_failed()
    {
        await CreateAsync("t", "listen");
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = NewHost(tasks => tasks.AddCommand("listen", async (IHostApplicationLifetime lifetime) =>
        {
            entered.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, lifetime.ApplicationStopping);
        }));
        await host.StartAsync();
        await entered.Task.Soon();

        await host.StopAsync().Soon();

        await ShouldBeReleasedAsync("t");
    }

    [Fact]
    public async Task A_handler_that_fails_on_its_own_while_the_host_stops_fails_its_stage()
    {
        await CreateAsync("t", "refuse");
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = NewHost(tasks => tasks.AddCommand("refuse", async (IHostApplicationLifetime lifetime) =>
        {
            var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = lifetime.ApplicationStopping.Register(stopping.SetResult);
            entered.TrySetResult();
            await stopping.Task;
            throw new InvalidOperationException("The card was refused.");
        }));
        await host.StartAsync();
        await entered.Task.Soon();

        await host.StopAsync().Soon();

        (await _store.GetAsync("t", default))!.Should().Match<TaskRecord>(
            task => task.State == TaskState.Failed && task.Error!.Message == "The card was refused.");
    }

    [Fact]
    public void A_cause_is_found_however_deep_it_is_hidden_and_only_once_the_end_has_begun()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var end = new HostEnd(services.GetRequiredService<IServiceScopeFactory>());
        var hidden = new IOException(
            "a", new AggregateException(new IOException("b"), new IOException("c", new TaskCanceledException())));
        end.IsCauseOf(hidden).Should().BeFalse();

        end.Begin();

        end.IsCauseOf(hidden).Should().BeTrue();
        end.IsCauseOf(new IOException("a", new AggregateException(new IOException("b")))).Should().BeFalse();
        services.Dispose();
        end.IsCauseOf(new IOException("a")).Should().BeTrue("in a disposed container anything may come of that");
    }

    private async Task CreateAsync(string id, string method)
    {
        using var services = Add(
            new ServiceCollection().AddLogging(), TaskRoles.Client).Services.BuildServiceProvider();
        await services.GetRequiredService<ITaskClient>().CreateAsync(
            new TaskDefinition { Id = id, Commands = [new(method)] });
    }

    private async Task ShouldBeReleasedAsync(string id)
    {
        (await _store.GetAsync(id, default))!.Should().Match<TaskRecord>(
            task => task.State == TaskState.Suspended && task.Error == null && task.Retries == 0
                && task.Managed.Interruptions == 0);
        (await _store.GetStagesAsync(id, default)).Should().BeEmpty();
        (await _store.ListExecutorsAsync(default)).Should().BeEmpty();
    }

    private static async Task DisposeAsync(IHost host, bool isAwaited)
    {
        if (isAwaited)
        {
            await ((IAsyncDisposable)host).DisposeAsync().AsTask().Soon();
        }
        else
        {
            await Task.Run(host.Dispose).Soon();
        }
    }

    private IHost NewHost(Action<KaijuTasksBuilder> build)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        build(Add(builder.Services));
        return builder.Build();
    }

    private KaijuTasksBuilder Add(IServiceCollection services, TaskRoles roles = TaskRoles.Client | TaskRoles.Executor)
    {
        services.AddSingleton<ITaskStore>(_store);
        services.AddSingleton<ITaskQueue>(_ => new MemoryTaskQueue(_store, TimeProvider.System));
        return services.AddKaijuTasks(options => options.Roles = roles);
    }

    private sealed class Starting(Func<Task>? start, Func<Task>? started = null) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => start?.Invoke() ?? Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => started?.Invoke() ?? Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _started = new();

        public CancellationToken ApplicationStarted => _started.Token;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void Start() => _started.Cancel();

        public void StopApplication()
        {
        }

        public void Dispose() => _started.Dispose();
    }

    /// <summary>A store whose answer to a manager is delayed by the test.</summary>
    private sealed class EndlessStore(ITaskStore inner) : DecoratedStore(inner), IDisposable
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> Ends { get; } = [];

        public override async ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken)
        {
            Begun.TrySetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                Ends.Enqueue("call");
            }

            return null;
        }

        public void Dispose() => Ends.Enqueue("store");
    }

    private sealed class Database : IDisposable
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WhenDisposed => _disposed.Task;

        public void Dispose() => _disposed.SetResult();
    }
}
