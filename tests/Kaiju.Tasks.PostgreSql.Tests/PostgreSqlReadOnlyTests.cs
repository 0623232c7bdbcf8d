using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The effect of unfit sessions on a store.</summary>
public sealed class PostgreSqlReadOnlyTests
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    /// <summary>The store's way to its database.</summary>
    public enum Way
    {
        ConnectionString,
        DataSource,
        Bouncer,
    }

    [Theory]
    [InlineData(Way.ConnectionString)]
    [InlineData(Way.DataSource)]
    [InlineData(Way.Bouncer)]
    public async Task A_database_that_was_read_only_is_written_at_once_when_it_is_writable_again(Way way)
    {
        await using var db = await Reached.OpenAsync(way);
        await db.Store.CreateAsync(
            [PostgreSqlFaultTests.Definition("a", 1), PostgreSqlFaultTests.Definition("b", 1)],
            OnConflict.Fail,
            default);
        await db.Store.HeartbeatAsync(_executor, [], default);
        var claimed = (await db.Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1_000_000 }, default))[0];

        await db.SetReadOnlyAsync(true);
        await RefusedAsync(
            db.Store.CreateAsync([PostgreSqlFaultTests.Definition("c", 1)], OnConflict.Fail, default).AsTask());
        await RefusedAsync(db.Store.HeartbeatAsync(_executor, [], default).AsTask());

        // Reads work, and their sessions begin in this read-only time: those of the pool, and the heartbeats' kept one.
        var read = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => await db.Store.GetAsync("a", default)));
        read.Should().OnlyContain(task => task != null);
        await db.Store.FindLostClaimsAsync([], default);
        await db.SetReadOnlyAsync(false);

        (await db.Store.HeartbeatAsync(_executor, [], default)).Should().BeEmpty();
        (await db.Store.RecordAsync([Report(claimed)], default)).Should().Equal(ReportAnswer.Recorded);
        (await db.Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1_000_000 },
            default)).Should().ContainSingle();
        (await db.Store.CreateAsync(
            [PostgreSqlFaultTests.Definition("d", 1)],
            OnConflict.Fail,
            default))[0].Result.Should().Be(CreateResult.Created);
        (await db.Store.GetAsync("c", default)).Should().BeNull("its creation was refused");
    }

    /// <summary>
    /// A claim may be retried if the server reports that nothing has happened; it begins with a session from the
    /// read-only time.
    /// </summary>
    [Theory]
    [InlineData(Way.ConnectionString)]
    [InlineData(Way.DataSource)]
    [InlineData(Way.Bouncer)]
    public async Task A_claim_that_meets_a_read_only_session_is_retried_on_another(Way way)
    {
        await using var db = await Reached.OpenAsync(way);
        await db.Store.CreateAsync([PostgreSqlFaultTests.Definition("a", 1)], OnConflict.Fail, default);
        await db.SetReadOnlyAsync(true);
        await db.Store.GetAsync("a", default);
        await db.SetReadOnlyAsync(false);

        (await db.Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1_000_000 },
            default)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_session_whose_prepared_statements_are_gone_is_not_used_again()
    {
        await using var db = await Reached.OpenAsync(Way.ConnectionString);
        for (var prepares = 0; prepares < 4; prepares++)
        {
            await db.Store.GetAsync("a", default);
        }

        await using (var forget = db.DataSource.CreateCommand("deallocate all"))
        {
            await forget.ExecuteNonQueryAsync();
        }

        (await db.Store.GetAsync("a", default)).Should().BeNull();
    }

    /// <summary>Creations are rare in many processes, and a server may end idle sessions.</summary>
    [Fact]
    public async Task A_kept_connection_that_the_server_has_ended_for_idleness_is_opened_again()
    {
        await using var db = await Reached.OpenAsync(Way.ConnectionString);
        await db.ExecuteAsync("alter database current_database set idle_session_timeout = '50ms'");
        await db.EndSessionsAsync();
        await db.Store.CreateAsync([PostgreSqlFaultTests.Definition("a", 1)], OnConflict.Fail, default);
        await db.Store.HeartbeatAsync(_executor, [], default);
        var began = TimeProvider.System.GetTimestamp();
        while (await db.CountSessionsAsync("query not ilike 'listen%'") > 0)
        {
            TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(
                TimeSpan.FromSeconds(30), "the server ends them");
        }

        (await db.Store.CreateAsync(
            [PostgreSqlFaultTests.Definition("b", 1)],
            OnConflict.Fail,
            default))[0].Result.Should().Be(CreateResult.Created);
        (await db.Store.HeartbeatAsync(_executor, [], default)).Should().BeEmpty();
    }

    private static async Task RefusedAsync(Task step) =>
        (await FluentActions.Awaiting(() => step).Should().ThrowAsync<PostgresException>()).Which.SqlState
            .Should().Be(PostgresErrorCodes.ReadOnlySqlTransaction);

    private static StageReport Report(ExecutorTask task) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = 0,
        Outcome = StageOutcome.Completed(System.Text.Json.JsonElement.Parse("1")),
    };

    /// <summary>A store over a database of its own.</summary>
    private sealed class Reached(string database, string connectionString, Way way) : IAsyncDisposable
    {
        private readonly DedicatedDataSource? _own = way == Way.DataSource ? null : new(connectionString, Options(way));
        private NpgsqlDataSource? _dataSource;

        public NpgsqlDataSource DataSource =>
            _dataSource ??= _own?.DataSource ?? NpgsqlDataSource.Create(connectionString);

        public PostgreSqlTaskStore Store { get; private set; } = null!;

        public RelationalTaskQueue Queue { get; private set; } = null!;

        public static async Task<Reached> OpenAsync(Way way)
        {
            var server = await Servers.PostgresAsync();
            var database = await server.CreateDatabaseAsync("readonly");
            var connectionString = way == Way.Bouncer
                ? (await Servers.BouncerAsync()).ConnectionString(database)
                : server.ConnectionString(database);
            var reached = new Reached(database, connectionString, way);
            reached.Store = new PostgreSqlTaskStore(
                reached.DataSource,
                Options(way),
                new LifecycleRules(),
                IdSource.Random,
                NullLogger<PostgreSqlTaskStore>.Instance,
                apart: reached._own?.Apart);
            reached.Queue = new RelationalTaskQueue(reached.Store, TimeProvider.System);
            await reached.Store.StartAsync(default);
            return reached;
        }

        /// <summary>
        /// As an operator does it: new sessions get the setting, and existing sessions that could still write are
        /// ended.
        /// </summary>
        public async Task SetReadOnlyAsync(bool isReadOnly)
        {
            await ExecuteAsync(
                $"alter database current_database "
                    + (isReadOnly ? "set default_transaction_read_only = on" : "reset default_transaction_read_only"));
            if (isReadOnly)
            {
                await EndSessionsAsync();
            }
        }

        public Task EndSessionsAsync() =>
            ExecuteAsync($"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{database}'");

        public async Task ExecuteAsync(string sql) =>
            await (await Servers.PostgresAsync()).ExecuteAsync(
                "postgres", sql.Replace("current_database", $"\"{database}\"", StringComparison.Ordinal));

        public async Task<long> CountSessionsAsync(string which)
        {
            await using var connection = new NpgsqlConnection(
                (await Servers.PostgresAsync()).ConnectionString("postgres", "Pooling=false"));
            await connection.OpenAsync();
            await using var count = new NpgsqlCommand(
                $"select count(*) from pg_stat_activity where datname = '{database}' and {which}", connection);
            return (long)(await count.ExecuteScalarAsync())!;
        }

        public async ValueTask DisposeAsync()
        {
            Queue.Dispose();
            await Store.DisposeAsync();
            await (_own?.DisposeAsync() ?? DataSource.DisposeAsync());
        }

        private static PostgreSqlTasksOptions Options(Way way) => new() { PollingOnly = way == Way.Bouncer };
    }
}
