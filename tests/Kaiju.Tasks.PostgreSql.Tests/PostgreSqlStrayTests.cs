using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>An executor's claim checks wait for no lock.</summary>
public sealed class PostgreSqlStrayTests : IAsyncLifetime, IDisposable
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(10);

    private NpgsqlDataSource? _dataSource;
    private PostgreSqlTaskStore? _store;

    private PostgreSqlTaskStore Store => _store!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = DedicatedDataSource.Build(
            server.ConnectionString(await server.CreateDatabaseAsync("strays")), false);
        _store = new PostgreSqlTaskStore(
            _dataSource,
            new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);
        await _store.StartAsync(default);
    }

    public void Dispose() => _dataSource?.Dispose();

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await _dataSource!.DisposeAsync();
    }

    [Fact]
    public async Task A_stray_claim_whose_row_is_locked_is_released_later_and_delays_no_ping()
    {
        await Store.CreateAsync(
            [PostgreSqlFaultTests.Definition("held", 1), PostgreSqlFaultTests.Definition("free", 1)],
            OnConflict.Fail,
            default);
        var claims = (await Store.ClaimAsync(_executor, ["held", "free"], default))
            .Select(task => new HeldClaim(task.Id, task.Claim)).ToList();
        await using var connection = await _dataSource!.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand(
                "select s.state from kaiju_tasks.states s join kaiju_tasks.tasks t on t.task_no = s.task_no where "
                    + "t.id = 'held' for update",
                connection);
            await hold.ExecuteScalarAsync();

            (await Store.FindStrayClaimsAsync(_executor.Id, [], 10, default).AsTask().WaitAsync(_bound))
                .Should().HaveCount(2);
            (await Store.GiveBackClaimsAsync(_executor.Id, claims, default).AsTask().WaitAsync(_bound))
                .Should().ContainSingle().Which.TaskId.Should().Be("free");
            (await Store.HeartbeatAsync(_executor, claims, default).AsTask().WaitAsync(_bound))
                .Should().ContainSingle();
        }

        (await Store.GiveBackClaimsAsync(_executor.Id, claims, default)).Should().ContainSingle().Which.TaskId
            .Should().Be("held");
    }

    [Fact]
    public async Task A_watch_whose_row_is_locked_is_left_to_its_holder()
    {
        await Store.WatchAsync(default);
        await using (var age = _dataSource!.CreateCommand(
            "update kaiju_tasks.watch set last_seen = last_seen - 100000000000, since = since - 100000000000"))
        {
            await age.ExecuteNonQueryAsync();
        }

        await using var connection = await _dataSource.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand("select 1 from kaiju_tasks.watch for update", connection);
            await hold.ExecuteScalarAsync();
            var answer = await Store.WatchAsync(default).AsTask().WaitAsync(_bound);
            answer.Since.Should().Be(answer.Now, "a gap counts although its row is locked");
        }

        var written = await Store.WatchAsync(default);
        (await Store.WatchAsync(default)).Since.Should().Be(written.Since);
    }
}
