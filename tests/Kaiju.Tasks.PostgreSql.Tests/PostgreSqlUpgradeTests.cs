using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlVersion : ISchemaVersion
{
    public static int Version => PostgreSqlSchema.Version;
}

public sealed class PostgreSqlUpgradeTests : UpgradeTests<PostgreSqlVersion>, IAsyncLifetime, IDisposable
{
    private NpgsqlDataSource? _dataSource;

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("upgrade")));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

    protected override Task<int> MigrateAsync(string name) => PostgreSqlSchema.MigrateAsync(DataSource, Named(name));

    protected override string GetScript(string name, int fromVersion) =>
        PostgreSqlSchema.GetScript(Named(name), fromVersion);

    protected override async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private protected override StartableStore NewStore(string name, bool migrates = true)
    {
        var store = new PostgreSqlTaskStore(
            DataSource,
            Named(name, migrates),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance,
            Clock.GetUtcNow);
        return new StartableStore(store, store.StartAsync);
    }

    private protected override async Task CreateVersionsAsync(string name)
    {
        await ExecuteAsync($"create schema {name}");
        await ExecuteAsync(
            $"create table {name}.migrations (version integer primary key, applied timestamptz not null default "
                + "now())");
    }

    private protected override IReadOnlyList<string> Migrations(string name) =>
        SqlTexts.LoadMigrations(typeof(PostgreSqlSchema).Assembly, PostgreSqlSchema.Words(Named(name), ""));

    private protected override string Table(string name, string table) => $"{name}.{table}";

    private protected override async Task CopyAsync(string table, string from, string to)
    {
        var columns = await ColumnsOfAsync($"{to}.{table}");
        await ExecuteAsync(
            $"insert into {to}.{table} ({columns}) overriding system value select {columns} from {from}.{table}");
        if (table is "tasks" or "notifications")
        {
            var number = table is "tasks" ? "task_no" : "id";
            await ExecuteAsync(
                $"select setval(pg_get_serial_sequence('{to}.{table}', '{number}'), "
                    + $"(select max({number}) from {to}.{table}))");
        }
    }

    private static PostgreSqlTasksOptions Named(string schema, bool migrates = true) =>
        new() { Schema = schema, MigrateAtStart = migrates, PollingOnly = true };

    private async Task<string> ColumnsOfAsync(string table)
    {
        await using var command = DataSource.CreateCommand(
            "select string_agg(attname, ', ' order by attnum) from pg_attribute "
                + $"where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped");
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
