using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteNewerSchemaTests : NewerSchemaTests, IDisposable
{
    private readonly TemporaryFile _file = new();

    protected override int Version => SqliteSchema.Version;

    public void Dispose() => _file.Dispose();

    protected override Task<int> MigrateAsync() => SqliteSchema.MigrateAsync(_file.Options);

    protected override string GetScript(int fromVersion) => SqliteSchema.GetScript(_file.Options, fromVersion);

    protected override async Task CreateOldVersionsAsync()
    {
        await using var connection = _file.Open();
        await using var command = connection.CreateCommand();
        command.CommandText =
            "create table kaiju_migrations (version integer primary key, applied text not null default "
                + "current_timestamp) strict";
        await command.ExecuteNonQueryAsync();
    }

    private protected override IReadOnlyList<Migration> Migrations() =>
        Migration.Load(typeof(SqliteSchema).Assembly, SqliteSchema.Words(_file.Options));

    private protected override async Task<StartedStore> StartAsync(bool migrates, ILogger logger)
    {
        var options = _file.Options;
        options.MigrateAtStart = migrates;
        var store = new SqliteTaskStore(
            options, Clock, new LifecycleRules(), IdSource.Random, new BareLogger<SqliteTaskStore>(logger));
        await store.StartAsync(default);
        return new StartedStore(store);
    }

    private protected override Task<DbConnection> OpenAsync() => Task.FromResult<DbConnection>(_file.Open());

    private protected override string Table(string name) => name == "schema"
        ? "select name, sql from sqlite_schema order by name"
        : $"kaiju_{name}";
}
