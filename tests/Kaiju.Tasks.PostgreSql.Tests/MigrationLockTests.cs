using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// A migration waits for a lock in short tries, between which other statements run. See docs/decisions/0018.
/// </summary>
public sealed class MigrationLockTests : IAsyncLifetime, IDisposable
{
    private const int Before = 2;
    private const string Advisory = "1801546090, hashtext('kaiju_tasks')";

    private static readonly PostgreSqlTasksOptions _options = new();
    private static readonly MigrationPatience _patience = new()
    {
        Try = TimeSpan.FromMilliseconds(100),
        Pause = TimeSpan.FromMilliseconds(1),
    };

    private NpgsqlDataSource? _dataSource;

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("locks")));
        await ScalarAsync(
            "create schema kaiju_tasks; create table kaiju_tasks.migrations (version integer primary key, applied "
                + "timestamptz not null default now())");
        foreach (var migration in Migration.Load(
            typeof(PostgreSqlSchema).Assembly, PostgreSqlSchema.Words(_options, "")).Take(Before))
        {
            await ScalarAsync(migration.Text);
            await ScalarAsync($"insert into kaiju_tasks.migrations (version) values ({migration.Version})");
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

    /// <summary>A reading transaction: migration 3 drops an index, for which it must hold the table alone.</summary>
    [Fact]
    public async Task Statements_of_others_run_between_the_tries_of_a_migration()
    {
        await using var reader = await HoldAsync("select count(*) from kaiju_tasks.states");
        var log = new ReleasingLog(() =>
        {
            // The migration has withdrawn its request for the table, and keeps its turn.
            using var other = DataSource.OpenConnection();
            using var limited = new NpgsqlCommand(
                "set lock_timeout = 50; select count(*) from kaiju_tasks.states", other);
            limited.ExecuteScalar().Should().Be(0L);
            using var turn = new NpgsqlCommand($"select pg_try_advisory_lock({Advisory})", other);
            turn.ExecuteScalar().Should().Be(false);
            reader.Dispose();
        });

        (await MigrateAsync(_patience, log)).Should().Be(PostgreSqlSchema.Version - Before);

        log.Line.Should().Be(
            "513 The migration of the tables waits for a lock: another transaction has held one of the tables. It "
                + "tries again for 00:05:00 at most; between its tries other statements run.");
        (await ScalarAsync("select max(version) from kaiju_tasks.migrations")).Should().Be(PostgreSqlSchema.Version);
    }

    [Fact]
    public async Task A_migration_waits_for_another_one()
    {
        await using var other = await HoldAsync($"select pg_advisory_xact_lock({Advisory})");
        var log = new ReleasingLog(other.Dispose);

        (await MigrateAsync(_patience, log)).Should().Be(PostgreSqlSchema.Version - Before);

        log.Line.Should().Contain("waits for a lock: another process has been migrating them.");
    }

    [Theory]
    [InlineData("select count(*) from kaiju_tasks.states", "another transaction has held one of the tables")]
    [InlineData($"select pg_advisory_xact_lock({Advisory})", "another process has been migrating them")]
    public async Task A_lock_that_is_held_for_too_long_ends_the_migration_without_an_effect(string sql, string holder)
    {
        await using var other = await HoldAsync(sql);

        var fault = (await FluentActions.Awaiting(
            () => MigrateAsync(_patience with { Most = TimeSpan.Zero }, new ReleasingLog(() => { }))).Should()
            .ThrowAsync<TaskSchemaException>()).Which;

        fault.Message.Should().Match(
            $"The tables in PostgreSQL at *, schema \"kaiju_tasks\" were not migrated, and nothing has changed: "
                + $"{holder} for 00:00:00. End it, or migrate later. The view pg_locks shows it.");
        fault.InnerException.Should().BeOfType<PostgresException>().Which.SqlState
            .Should().Be(PostgresErrorCodes.LockNotAvailable);
        (await ScalarAsync("select max(version) from kaiju_tasks.migrations")).Should().Be(Before);
    }

    [Fact]
    public void A_migration_waits_two_seconds_in_each_try_and_five_minutes_in_all()
    {
        // As docs/how-to/upgrade.md says.
        MigrationPatience.Default.Try.Should().Be(TimeSpan.FromSeconds(2));
        MigrationPatience.Default.Most.Should().Be(TimeSpan.FromMinutes(5));
        PostgreSqlSchema.GetScript().Should().Contain("\nset local lock_timeout = 2000;\n");
    }

    private Task<int> MigrateAsync(MigrationPatience patience, ILogger log) =>
        PostgreSqlSchema.MigrateAsync(DataSource, _options, patience, log, default);

    /// <summary>A connection that holds what a statement locks until it is disposed of.</summary>
    private async Task<NpgsqlConnection> HoldAsync(string sql)
    {
        var connection = await DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"begin; {sql}", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Acts when a try has failed, before the migration rests.</summary>
    private sealed class ReleasingLog(Action release) : ILogger
    {
        public string? Line { get; private set; }

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
            Line.Should().BeNull("it is logged once");
            Line = $"{eventId.Id} {formatter(state, exception)}";
            release();
        }
    }
}
