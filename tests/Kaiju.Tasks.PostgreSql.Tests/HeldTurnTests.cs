using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// The cost of a row that another transaction holds: counts a host's statements while its loops pause on fake time.
/// </summary>
public sealed class HeldTurnTests : IAsyncLifetime, IDisposable
{
    private const int Certain = 20;

    /// <summary>The pauses of about the first five seconds, in milliseconds.</summary>
    private static readonly int[] _pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000];
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    private readonly Statements _statements = new();
    private readonly SleepClock _clock = new();
    private NpgsqlDataSource? _dataSource;
    private ServiceProvider? _services;
    private NpgsqlConnection? _holding;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        var builder = new NpgsqlDataSourceBuilder(server.ConnectionString(await server.CreateDatabaseAsync("held")));
        builder.UseLoggerFactory(
            LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_statements)));
        _dataSource = builder.Build();
    }

    public async Task DisposeAsync()
    {
        if (_services is not null)
        {
            foreach (var service in _services.GetServices<IHostedService>())
            {
                await service.StopAsync(default);
            }

            await _services.DisposeAsync();
        }

        await _dataSource!.DisposeAsync();
    }

    public void Dispose() => _statements.Dispose();

    [Fact]
    public async Task A_held_due_row_costs_a_manager_twelve_turns_in_five_seconds_and_is_moved_when_free()
    {
        var client = await StartAsync(TaskRoles.Client | TaskRoles.Manager, async () =>
            await ExecuteAsync("update kaiju_tasks.states set next_run = 1, due = 1, duty = 2"));

        foreach (var pause in _pauses)
        {
            await PassAsync(pause);
        }

        await _clock.SleepingAsync(Certain);
        _statements.Count("where duty = 0").Should().Be(_pauses.Length + 1);
        await _holding!.DisposeAsync();
        await PassAsync(1000);
        await UntilAsync(async () => (await client.GetAsync("t"))!.State == TaskState.Queued);
    }

    [Fact]
    public async Task A_held_queued_row_costs_thirteen_claims_in_five_seconds_and_is_claimed_when_free()
    {
        var client = await StartAsync(TaskRoles.Client | TaskRoles.Executor, async () =>
            await ExecuteAsync(
                "update kaiju_tasks.states set state = 1, next_run = null, due = null, duty = null, queued_at = 1, "
                    + "exec_deadline = 9000000000000000"));

        foreach (var pause in _pauses)
        {
            await PassAsync(pause);
        }

        await _clock.SleepingAsync(Certain);
        _statements.Count("set_config('synchronous_commit'").Should().Be(_pauses.Length + 2);
        await _holding!.DisposeAsync();
        await PassAsync(1000);
        await UntilAsync(async () => (await client.GetAsync("t"))!.State == TaskState.Finished);
    }

    /// <summary>Starts a host over one task, which the test creates and then holds.</summary>
    private async Task<ITaskClient> StartAsync(TaskRoles roles, Func<Task> prepare)
    {
        await using (var store = new PostgreSqlTaskStore(
            _dataSource!,
            new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<PostgreSqlTaskStore>.Instance))
        {
            await store.CreateAsync(
                [PostgreSqlFaultTests.Definition("t", 1) with { RunAt = TaskDefinition.OnDemand }],
                OnConflict.Fail,
                default);
        }

        await prepare();
        _holding = await _dataSource!.OpenConnectionAsync();
        await using (var hold = new NpgsqlCommand("begin; select 1 from kaiju_tasks.states for update", _holding))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddLogging();

        // Without hints only the clock ends a pause.
        services.AddKaijuTasks(options => options.Roles = roles).AddCommand("do", () => 1).UsePostgreSql(
            _dataSource, options => options.PollingOnly = true);
        _services = services.BuildServiceProvider();
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }

        foreach (var service in _services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await service.StartedAsync(default);
        }

        return _services.GetRequiredService<ITaskClient>();
    }

    private async Task PassAsync(int pause)
    {
        await _clock.PassAsync(Math.Min(pause, Certain)).WaitAsync(_bound);
        if (pause > Certain)
        {
            await _clock.PassAsync(pause - Certain).WaitAsync(_bound);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var bound = new CancellationTokenSource(_bound);
        while (!await isSo())
        {
            bound.Token.ThrowIfCancellationRequested();
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _dataSource!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Fake time that reports when a caller sleeps for a given time.</summary>
    private sealed class SleepClock : FakeTimeProvider
    {
        private readonly Lock _lock = new();
        private readonly HashSet<TimeSpan> _sleeping = [];
        private readonly List<(TimeSpan Due, TaskCompletionSource Asleep)> _watching = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            lock (_lock)
            {
                _sleeping.Add(dueTime);
                _watching.RemoveAll(watch => watch.Due == dueTime && watch.Asleep.TrySetResult());
            }

            return timer;
        }

        public Task SleepingAsync(int milliseconds)
        {
            var due = TimeSpan.FromMilliseconds(milliseconds);
            lock (_lock)
            {
                if (_sleeping.Contains(due))
                {
                    return Task.CompletedTask;
                }

                var asleep = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _watching.Add((due, asleep));
                return asleep.Task.WaitAsync(_bound);
            }
        }

        public async Task PassAsync(int milliseconds)
        {
            await SleepingAsync(milliseconds);
            lock (_lock)
            {
                _sleeping.Clear();
            }

            Advance(TimeSpan.FromMilliseconds(milliseconds));
        }
    }

    /// <summary>The statements that the driver has executed.</summary>
    private sealed class Statements : ILoggerProvider, ILogger
    {
        private readonly List<string> _texts = [];

        public int Count(string part)
        {
            lock (_texts)
            {
                return _texts.Count(
                    text => text.Contains("execution completed", StringComparison.Ordinal)
                        && text.Contains(part, StringComparison.Ordinal));
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (_texts)
            {
                _texts.Add(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
