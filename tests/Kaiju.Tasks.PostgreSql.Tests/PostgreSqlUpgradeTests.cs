using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// Tables of an earlier version, with tasks in every state, are brought up to date: nothing is lost, and work goes on.
/// </summary>
public sealed class PostgreSqlUpgradeTests : IAsyncLifetime, IDisposable
{
    private static readonly string[] _tables = [
        "tasks", "states", "results", "failures", "runs", "notifications", "executors"];

    private readonly FakeTimeProvider _clock = new(UpgradedStore.Start);
    private NpgsqlDataSource? _dataSource;

    /// <summary>Every version before this one.</summary>
    public static TheoryData<int> Earlier => [.. Enumerable.Range(1, PostgreSqlSchema.Version - 1)];

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("upgrade")));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_keep_every_task_and_go_on(int version)
    {
        await using var filled = await OpenAsync("filled");
        await UpgradedStore.FillAsync(filled, by => _clock.Advance(by));
        await CreateVersionAsync(version, "upgraded");
        foreach (var table in _tables)
        {
            var columns = await ColumnsOfAsync($"upgraded.{table}");
            await ExecuteAsync(
                $"insert into upgraded.{table} ({columns}) overriding system value select {columns} from "
                    + $"filled.{table}");
        }

        await ExecuteAsync(
            "select setval(pg_get_serial_sequence('upgraded.tasks', 'task_no'), (select max(task_no) from "
                + "upgraded.tasks))");
        await ExecuteAsync(
            "select setval(pg_get_serial_sequence('upgraded.notifications', 'id'), (select max(id) from "
                + "upgraded.notifications))");

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => PostgreSqlSchema.MigrateAsync(DataSource, Named("upgraded"))));

        applied.Sum().Should().Be(PostgreSqlSchema.Version - version, "each migration that is missing is applied once");
        await using var upgraded = await OpenAsync("upgraded");
        (await UpgradedStore.DescribeAsync(upgraded)).Should().Equal(await UpgradedStore.DescribeAsync(filled));
        await UpgradedStore.GoOnAsync(upgraded, new RelationalTaskQueue(upgraded, _clock), by => _clock.Advance(by));
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_are_refused_where_the_host_does_not_migrate(int version)
    {
        await CreateVersionAsync(version, "old");
        await using var store = NewStore(Named("old", migrates: false));

        await FluentActions.Awaiting(() => store.StartAsync(default)).Should()
            .ThrowAsync<TaskSchemaException>().WithMessage(
                $"*of version {version}; this package needs {PostgreSqlSchema.Version}*");
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task The_script_from_an_earlier_version_does_the_same_as_a_migration(int version)
    {
        await CreateVersionAsync(version, "by_script");
        await ExecuteAsync(PostgreSqlSchema.GetScript(Named("by_script"), version));
        await using var store = NewStore(Named("by_script", migrates: false));

        await store.StartAsync(default);

        (await PostgreSqlSchema.MigrateAsync(DataSource, Named("by_script"))).Should().Be(0);
        (await store.WatchAsync(default)).Since.Should().Be(UpgradedStore.Start);
    }

    private static PostgreSqlTasksOptions Named(string schema, bool migrates = true) =>
        new() { Schema = schema, MigrateAtStart = migrates, PollingOnly = true };

    private async Task<PostgreSqlTaskStore> OpenAsync(string schema)
    {
        var store = NewStore(Named(schema));
        await store.StartAsync(default);
        return store;
    }

    private PostgreSqlTaskStore NewStore(PostgreSqlTasksOptions options) => new(
        DataSource,
        options,
        new LifecycleRules(),
        IdSource.Random,
        NullLogger<PostgreSqlTaskStore>.Instance,
        _clock.GetUtcNow);

    private async Task CreateVersionAsync(int version, string schema)
    {
        await ExecuteAsync($"create schema {schema}");
        await ExecuteAsync(
            $"create table {schema}.migrations (version integer primary key, applied timestamptz not null default "
                + $"now())");
        var migrations = SqlTexts.LoadMigrations(
            typeof(PostgreSqlSchema).Assembly, PostgreSqlSchema.Words(Named(schema), ""));
        for (var applied = 1; applied <= version; applied++)
        {
            await ExecuteAsync(migrations[applied - 1]);
            await ExecuteAsync($"insert into {schema}.migrations (version) values ({applied})");
        }
    }

    private async Task<string> ColumnsOfAsync(string table)
    {
        await using var command = DataSource.CreateCommand(
            "select string_agg(attname, ', ' order by attnum) from pg_attribute "
                + $"where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped");
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
