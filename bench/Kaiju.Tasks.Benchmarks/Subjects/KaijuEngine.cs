using System.Globalization;
using System.Security.Cryptography;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>
/// Kaiju.Tasks: one host creates, and another manages and executes, so that execution can be started and stopped.
/// </summary>
internal sealed class KaijuEngine(string kind, SubjectSettings settings) : Subject
{
    /// <summary>
    /// The number of slots for durable stores: the number of jobs that the raw limits process at once.
    /// </summary>
    public const int UsualCapacity = 800;

    private IHost? _client;
    private IHost? _workers;
    private ITaskClient? _tasks;

    public override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"Capacity={Capacity}, otherwise the defaults");

    public override bool HasBulk => true;

    private int Capacity => settings.Capacity > 0 ? settings.Capacity : UsualCapacity;

    public override async Task OpenAsync()
    {
        _client = Build(TaskRoles.Client);
        await _client.StartAsync();
        _tasks = _client.Services.GetRequiredService<ITaskClient>();
    }

    public override Task CreateAsync(int job) => _tasks!.CreateAsync(Job(job));

    public override Task CreateManyAsync(int first, int count) =>
        _tasks!.CreateManyAsync(Enumerable.Range(first, count).Select(Job));

    /// <summary>A task whose stages each return the given number of random characters, which compress badly.</summary>
    public Task CreatePayloadAsync(int characters) => _tasks!.CreateAsync(new TaskDefinition
    {
        Commands = [
            .. Enumerable.Range(0, settings.Stages).Select(_ => new TaskCommand("payload", new { characters }))],
    });

    /// <summary>A task that is due later.</summary>
    public Task CreateScheduledAsync(string id, TimeSpan delay) =>
        _tasks!.CreateAsync(Job(0) with { Id = id, RunAt = TimeProvider.System.GetUtcNow() + delay });

    /// <summary>Waits for a task that is never started.</summary>
    /// <returns>The wait, once the task exists.</returns>
    public async Task<Task> WaitForParkedAsync(CancellationToken cancellationToken)
    {
        var parked = await _tasks!.CreateAsync(
            Job(0) with { RunAt = TaskDefinition.OnDemand }, cancellationToken: cancellationToken);
        return _tasks.WaitAsync(parked.TaskId, cancellationToken);
    }

    public override async Task StartWorkersAsync()
    {
        _workers = Build(TaskRoles.Manager | TaskRoles.Executor);
        await _workers.StartAsync();
    }

    public override async Task StopWorkersAsync()
    {
        await _workers!.StopAsync();
        _workers.Dispose();
        _workers = null;
    }

    public override async Task<long> CountLeftAsync()
    {
        switch (kind)
        {
            case "memory":
                var queued = await _tasks!.ListPageAsync(new TaskQuery { State = TaskState.Queued }, null, 1);
                var executed = await _tasks.ListPageAsync(new TaskQuery { State = TaskState.Executing }, null, 1);
                return queued.Items.Count + executed.Items.Count;
            case "sqlite":
                return await CountAsync(
                    "select (select count(*) from kaiju_states where state = 1 and enabled = 1 and hold = 0) + (select "
                        + "count(*) from kaiju_states where state = 2)");
            default:
                return await CountAsync(
                    "select (exists (select 1 from kaiju_tasks.states where state = 1 and enabled and hold = 0) or "
                        + "exists (select 1 from kaiju_tasks.states where state = 2))::int::bigint");
        }
    }

    /// <summary>Announces the commands of an executor that claims nothing, and keeps it alive.</summary>
    public async Task PingAsync() => await _client!.Services.GetRequiredService<ITaskStore>().HeartbeatAsync(
        new ExecutorInfo { Id = "idle", AppName = "default", Apps = ["default"], Capacity = 1, Commands = ["noop"] },
        [],
        default);

    /// <summary>Creates tasks whose command no executor knows.</summary>
    public Task CreateUnknownAsync(int count) => _tasks!.CreateManyAsync(
        Enumerable.Range(0, count).Select(id => new TaskDefinition { Commands = [new("missing", new { id })] }));

    /// <summary>The number of queued tasks that are held.</summary>
    public Task<long> CountHeldAsync() => CountAsync(
        $"select count(*) from {(kind == "sqlite" ? "kaiju_" : "kaiju_tasks.")}states where state = 1 and hold > 0");

    public override async ValueTask DisposeAsync()
    {
        if (_workers is not null)
        {
            await StopWorkersAsync();
        }

        if (_client is not null)
        {
            await _client.StopAsync();
            _client.Dispose();
        }
    }

    private async Task<long> CountAsync(string sql)
    {
        if (kind == "sqlite")
        {
            await using var connection = new SqliteConnection($"Data Source={settings.Store};Pooling=false");
            await connection.OpenAsync();
            await using var count = new SqliteCommand(sql, connection);
            return (long)(await count.ExecuteScalarAsync())!;
        }

        await using var source = NpgsqlDataSource.Create($"{settings.Store};Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private TaskDefinition Job(int id) => new()
    {
        Commands = settings.Stages == 1
            ? [new TaskCommand("noop", new { id })]
            : [.. Enumerable.Range(0, settings.Stages).Select(_ => new TaskCommand("noop", new { id }))],
    };

    private IHost Build(TaskRoles roles)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var tasks = builder.Services.AddKaijuTasks(options => (options.Roles, options.Capacity) = (roles, Capacity))
            .AddCommand("noop", (int id) =>
            {
                Meter.Hit(id);
                return id;
            })
            .AddCommand("payload", (int characters) =>
            {
                Meter.Hit(0);
                return Convert.ToBase64String(RandomNumberGenerator.GetBytes(characters * 3 / 4));
            });
        if (_client is not null)
        {
            // One process has one store: the second host uses that of the first.
            builder.Services.AddSingleton(_client.Services.GetRequiredService<ITaskStore>());
            builder.Services.AddSingleton(_client.Services.GetRequiredService<ITaskQueue>());
        }
        else if (kind == "sqlite")
        {
            tasks.UseSqlite($"Data Source={settings.Store}");
        }
        else if (kind == "postgresql")
        {
            tasks.UsePostgreSql(settings.Store);
        }
        else
        {
            // Registered directly, since the workers' host shares it.
            builder.Services.AddSingleton<ITaskStore>(provider => provider.GetRequiredService<MemoryTaskStore>());
        }

        return builder.Build();
    }
}
