using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteSchemaTests : SchemaTests, IDisposable
{
    private readonly TemporaryFile _file = new();

    protected override int Version => SqliteSchema.Version;

    protected override string DefaultName => "kaiju_";

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Every_commit_reaches_the_disk()
    {
        await SqliteSchema.MigrateAsync(_file.Options);
        using var full = SqliteFile.Open(_file.Options);
        Pragma(full, "synchronous").Should().Be(2);
        Scalar("pragma journal_mode").Should().Be("wal");

        var options = _file.Options;
        options.Durability = SqliteDurability.Normal;
        using var normal = SqliteFile.Open(options);
        Pragma(normal, "synchronous").Should().Be(1);
    }

    protected override Task<int> MigrateAsync(string name) => SqliteSchema.MigrateAsync(Named(name));

    protected override string GetScript(string name) => SqliteSchema.GetScript(Named(name));

    protected override string Table(string name, string table) => $"{name}{table}";

    protected override Task<IReadOnlyList<string>> DescribeAsync(string name)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"select replace(sql, '{name}', '') from sqlite_schema where name like '{name}%' and sql is not null "
                + "order by name";
        using var rows = command.ExecuteReader();
        var list = new List<string>();
        while (rows.Read())
        {
            list.Add(rows.GetString(0));
        }

        return Task.FromResult<IReadOnlyList<string>>(list);
    }

    protected override Task<object?> ScalarAsync(string sql) => Task.FromResult(Scalar(sql));

    protected override void UseStore(KaijuTasksBuilder tasks, string name, bool migrates) =>
        tasks.UseSqlite(
            _file.ConnectionString, options => (options.TablePrefix, options.MigrateAtStart) = (name, migrates));

    private static long Pragma(SqliteConnection connection, string name)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"pragma {name}";
        return (long)command.ExecuteScalar()!;
    }

    private SqliteTasksOptions Named(string prefix)
    {
        var options = _file.Options;
        options.TablePrefix = prefix;
        return options;
    }

    private object? Scalar(string sql)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
