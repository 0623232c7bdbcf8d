using System.Globalization;
using Kaiju.Tasks.Tests;
using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// A server that keeps its connections open and answers nothing, as behind a network that drops everything.
/// </summary>
[Collection(Alone.Name)]
public sealed class FrozenServerTests : IAsyncLifetime
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(2);

    /// <summary>Far above the option and far below a command's default timeout of 30 s.</summary>
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(15);

    private PostgresServer? _server;
    private IHost? _host;
    private string _connectionString = "";

    private ITaskClient Client => _host!.Services.GetRequiredService<ITaskClient>();

    public async Task InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        _connectionString = _server.ConnectionString(await _server.CreateDatabaseAsync("frozen"));
        _host = NewHost();
        await _host.StartAsync();
        await Client.CreateAsync(Definition("t"));
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
        await _server!.DisposeAsync();
    }

    [Fact]
    public async Task Each_call_ends_within_the_client_timeout_and_works_again_afterwards()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var waiting = Client.WaitAsync("t");
        _server!.Freeze();
        try
        {
            await Task.WhenAll(
                ExpectTimeoutAsync(() => Client.GetAsync("t"), mayHaveHappened: false),
                ExpectTimeoutAsync(
                    () => Client.ListAsync().GetAsyncEnumerator().MoveNextAsync().AsTask(), mayHaveHappened: false),
                ExpectTimeoutAsync(
                    () => Client.CreateAsync(Definition("u"), new() { OnConflict = OnConflict.Skip }),
                    mayHaveHappened: true),
                ExpectTimeoutAsync(() => Client.CancelAsync("t"), mayHaveHappened: true),
                ExpectTimeoutAsync(
                    () => Client.CreateAsync(Definition("v"), new() { Transaction = transaction }),
                    mayHaveHappened: true));
        }
        finally
        {
            _server.Thaw();
        }

        await waiting.Awaiting(wait => wait.WaitAsync(_bound)).Should().ThrowAsync<TaskStoreTimeoutException>(
            "its question was not answered either");
        await Client.CreateAsync(Definition("u"), new() { OnConflict = OnConflict.Skip }).WaitAsync(_bound);
        (await Client.GetAsync("u").WaitAsync(_bound)).Should().NotBeNull();
        (await Client.GetAsync("v").WaitAsync(_bound)).Should().BeNull("its transaction was never committed");
    }

    [Fact]
    public async Task Calls_that_wait_end_when_the_application_stops()
    {
        using var host = NewHost(TimeSpan.FromHours(1));
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.GetAsync("t");
        _server!.Freeze();
        try
        {
            var reading = client.GetAsync("t");
            var waiting = client.WaitAsync("t");

            await host.StopAsync().WaitAsync(_bound);

            await reading.Awaiting(call => call.WaitAsync(_bound)).Should().ThrowAsync<TaskHostStoppedException>();
            await waiting.Awaiting(call => call.WaitAsync(_bound)).Should().ThrowAsync<TaskHostStoppedException>();
        }
        finally
        {
            _server.Thaw();
        }
    }

    private static async Task ExpectTimeoutAsync(Func<Task> call, bool mayHaveHappened)
    {
        var began = TimeProvider.System.GetTimestamp();
        var failed = await FluentActions.Awaiting(call).Should().ThrowAsync<TaskStoreTimeoutException>();
        failed.Which.MayHaveHappened.Should().Be(mayHaveHappened);
        TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(
            _bound,
            string.Create(CultureInfo.InvariantCulture, $"{failed.Which.Operation} has {_timeout.TotalSeconds} s"));
    }

    private static TaskDefinition Definition(string id) =>
        new() { Id = id, RunAt = TaskDefinition.OnDemand, Commands = [new("do")] };

    private IHost NewHost(TimeSpan? timeout = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(
            options => (options.Roles, options.ClientTimeout, options.PollInterval) = (
                TaskRoles.Client, timeout ?? _timeout, TimeSpan.FromMilliseconds(500)))
            .UsePostgreSql(_connectionString);
        return builder.Build();
    }
}
