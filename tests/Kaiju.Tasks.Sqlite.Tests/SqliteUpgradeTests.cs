using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteVersion : ISchemaVersion
{
    public static int Version => SqliteSchema.Version;
}

public sealed class SqliteUpgradeTests : UpgradeTests<SqliteVersion>, IDisposable
{
    private readonly TemporaryFile _file = new();

    public void Dispose() => _file.Dispose();

    protected override Task<int> MigrateAsync(string name) => SqliteSchema.MigrateAsync(Named(name));

    protected override string GetScript(string name, int fromVersion) =>
        SqliteSchema.GetScript(Named(name), fromVersion);

    protected override Task ExecuteAsync(string sql)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
        return Task.CompletedTask;
    }

    private protected override StartableStore NewStore(string name, bool migrates = true)
    {
        var store = new SqliteTaskStore(
            Named(name, migrates),
            Clock,
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<SqliteTaskStore>.Instance);
        return new StartableStore(store, store.StartAsync);
    }

    private protected override Task CreateVersionsAsync(string name) => ExecuteAsync(
        $"create table {name}migrations (version integer primary key, applied text not null default "
            + "current_timestamp) strict");

    private protected override IReadOnlyList<string> Migrations(string name) =>
        SqlTexts.LoadMigrations(typeof(SqliteSchema).Assembly, SqliteSchema.Words(Named(name)));

    private protected override string Table(string name, string table) => $"{name}{table}";

    private protected override Task CopyAsync(string table, string from, string to)
    {
        var columns = string.Join(", ", ColumnsOf($"{to}{table}"));
        return ExecuteAsync($"insert into {to}{table} ({columns}) select {columns} from {from}{table}");
    }

    private SqliteTasksOptions Named(string prefix, bool migrates = true) =>
        new() { ConnectionString = _file.ConnectionString, TablePrefix = prefix, MigrateAtStart = migrates };

    private List<string> ColumnsOf(string table)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select name from pragma_table_info('{table}')";
        using var rows = command.ExecuteReader();
        var columns = new List<string>();
        while (rows.Read())
        {
            columns.Add(rows.GetString(0));
        }

        return columns;
    }
}
