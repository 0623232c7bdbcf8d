using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The effect of a pool's size on a host: it works, or does not start.</summary>
public sealed class PostgreSqlPoolTests : IAsyncLifetime
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private string _connectionString = "";

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(await server.CreateDatabaseAsync("pool"), "Timeout=5");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>The store's kept connections are beside its own pool.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    public async Task With_a_connection_string_a_pool_of_any_size_runs_tasks(int size, bool pollingOnly)
    {
        using var host = Host(
            tasks =>
                tasks.UsePostgreSql(With($"Maximum Pool Size={size}"), options => options.PollingOnly = pollingOnly));

        await RunTasksAsync(host);
    }

    [Theory]
    [InlineData(1, false, 4)]
    [InlineData(2, false, 4)]
    [InlineData(3, false, 4)]
    [InlineData(1, true, 3)]
    [InlineData(2, true, 3)]
    public async Task A_data_source_with_too_small_a_pool_is_refused_at_the_start_with_the_least_size(
        int size, bool pollingOnly, int least)
    {
        await using var dataSource = NpgsqlDataSource.Create(With($"Maximum Pool Size={size}"));
        using var host = Host(tasks => tasks.UsePostgreSql(dataSource, options => options.PollingOnly = pollingOnly));

        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<ArgumentException>()
            .WithMessage(
                $"Maximum Pool Size of the data source is {size}; it must be at least {least}: the store keeps "
                    + $"{least - 1} of its connections*where the NpgsqlDataSource is created*connection string*");
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(3, true)]
    public async Task A_data_source_with_the_least_pool_runs_tasks(int size, bool pollingOnly)
    {
        await using var dataSource = NpgsqlDataSource.Create(With($"Maximum Pool Size={size}"));
        using var host = Host(tasks => tasks.UsePostgreSql(dataSource, options => options.PollingOnly = pollingOnly));

        await RunTasksAsync(host);
    }

    [Fact]
    public async Task A_data_source_without_a_pool_runs_tasks()
    {
        await using var dataSource = NpgsqlDataSource.Create(With("Pooling=false;Maximum Pool Size=1"));
        using var host = Host(tasks => tasks.UsePostgreSql(dataSource));

        await RunTasksAsync(host);
    }

    [Fact]
    public async Task Multiplexing_is_refused_at_the_start()
    {
        const string Message = "Multiplexing is true; it must be false: a multiplexed session cannot LISTEN*";
        await using var dataSource = NpgsqlDataSource.Create(With("Multiplexing=true"));
        using var withDataSource = Host(
            tasks => tasks.UsePostgreSql(dataSource, options => options.PollingOnly = true));
        using var withString = Host(tasks => tasks.UsePostgreSql(With("Multiplexing=true")));

        await FluentActions.Awaiting(() => withDataSource.StartAsync()).Should()
            .ThrowAsync<ArgumentException>().WithMessage(Message);
        await FluentActions.Awaiting(() => withString.StartAsync()).Should()
            .ThrowAsync<ArgumentException>().WithMessage(Message);
    }

    /// <summary>Handlers may exhaust the pool; the executor still pings, and creations still work.</summary>
    [Fact]
    public async Task An_exhausted_data_source_stops_neither_heartbeats_nor_creations()
    {
        await using var dataSource = NpgsqlDataSource.Create(With("Maximum Pool Size=4"));
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = Host(
            tasks => tasks.UsePostgreSql(dataSource).AddCommand("hold", async () =>
            {
                await using var rest = await dataSource.OpenConnectionAsync();
                held.TrySetResult();
                await release.Task;
            }),
            options => options.PingInterval = TimeSpan.FromSeconds(1));
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(new TaskDefinition { Id = "holds", Commands = [new("hold")] });
        await held.Task.WaitAsync(_bound);

        var before = await LastPingAsync();
        var started = TimeProvider.System.GetTimestamp();
        while (await LastPingAsync() == before && TimeProvider.System.GetElapsedTime(started) < _bound)
        {
            // The next ping comes within a ping interval.
        }

        (await LastPingAsync()).Should().BeGreaterThan(before);
        (await client.CreateAsync(new TaskDefinition { Id = "more", Commands = [new("do")] }).WaitAsync(_bound)).Result
            .Should().Be(CreateResult.Created);
        release.SetResult();
        (await client.WaitAsync("holds").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        (await client.WaitAsync("more").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_data_source_gets_its_connection_back_without_listening_channels()
    {
        await using var dataSource = NpgsqlDataSource.Create(With("Maximum Pool Size=4;No Reset On Close=true"));
        using (var host = Host(tasks => tasks.UsePostgreSql(dataSource)))
        {
            await RunTasksAsync(host);
        }

        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < 4; i++)
        {
            connections.Add(await dataSource.OpenConnectionAsync());
            await using var channels = new NpgsqlCommand(
                "select count(*) from pg_listening_channels()", connections[i]);
            (await channels.ExecuteScalarAsync()).Should().Be(0L);
        }

        connections.ForEach(connection => connection.Dispose());
    }

    private static async Task RunTasksAsync(IHost host)
    {
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        var ids = Enumerable.Range(0, 20).Select(i => $"t{i:00}").ToList();
        await Task.WhenAll(
            ids.Select(id => client.CreateAsync(new TaskDefinition { Id = id, Commands = [new("do"), new("do")] })))
            .WaitAsync(_bound);
        var ended = await Task.WhenAll(ids.Select(id => client.WaitAsync(id))).WaitAsync(_bound);
        ended.Should().OnlyContain(task => task.State == TaskState.Finished);
        await host.StopAsync();
    }

    private async Task<long> LastPingAsync()
    {
        await using var connection = new NpgsqlConnection(With("Pooling=false"));
        await connection.OpenAsync();
        await using var ping = new NpgsqlCommand("select max(last_ping) from kaiju_tasks.executors", connection);
        return (long)(await ping.ExecuteScalarAsync())!;
    }

    private string With(string settings) =>
        new NpgsqlConnectionStringBuilder($"{_connectionString};{settings}").ToString();

    private static IHost Host(Action<KaijuTasksBuilder> use, Action<KaijuTasksOptions>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddKaijuTasks(options => configure?.Invoke(options)).AddCommand("do", () => 1);
        use(tasks);
        return builder.Build();
    }
}
