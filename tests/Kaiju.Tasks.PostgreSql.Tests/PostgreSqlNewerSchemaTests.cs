using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlNewerSchemaTests : NewerSchemaTests, IAsyncLifetime, IDisposable
{
    private NpgsqlDataSource? _dataSource;

    protected override int Version => PostgreSqlSchema.Version;

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("newer")));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

    protected override Task<int> MigrateAsync() => PostgreSqlSchema.MigrateAsync(DataSource);

    protected override string GetScript(int fromVersion) => PostgreSqlSchema.GetScript(null, fromVersion);

    protected override async Task CreateOldVersionsAsync()
    {
        await using var command = DataSource.CreateCommand(
            "create schema kaiju_tasks; create table kaiju_tasks.migrations (version integer primary key, applied "
                + "timestamptz not null default now())");
        await command.ExecuteNonQueryAsync();
    }

    private protected override IReadOnlyList<Migration> Migrations() => Migration.Load(
        typeof(PostgreSqlSchema).Assembly, PostgreSqlSchema.Words(new PostgreSqlTasksOptions(), ""));

    private protected override async Task<StartedStore> StartAsync(bool migrates, ILogger logger)
    {
        var store = new PostgreSqlTaskStore(
            DataSource,
            new PostgreSqlTasksOptions { MigrateAtStart = migrates, PollingOnly = true },
            new LifecycleRules(),
            IdSource.Random,
            new BareLogger<PostgreSqlTaskStore>(logger),
            Clock.GetUtcNow,
            clock: Clock);
        await store.StartAsync(default);
        return new StartedStore(store);
    }

    private protected override async Task<DbConnection> OpenAsync() => await DataSource.OpenConnectionAsync();

    private protected override string Table(string name) => name == "schema"
        ? "select table_name || '.' || column_name from information_schema.columns where table_schema = 'kaiju_tasks' "
            + "union all select indexdef from pg_indexes where schemaname = 'kaiju_tasks' order by 1"
        : $"kaiju_tasks.{name}";
}
