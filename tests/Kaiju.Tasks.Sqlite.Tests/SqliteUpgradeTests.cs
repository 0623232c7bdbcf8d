using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// Tables of an earlier version, with tasks in every state, are brought up to date: nothing is lost, and work goes on.
/// </summary>
public sealed class SqliteUpgradeTests : IDisposable
{
    private static readonly string[] _tables = [
        "tasks", "states", "results", "failures", "runs", "notifications", "executors"];

    private readonly FakeTimeProvider _clock = new(UpgradedStore.Start);
    private readonly TemporaryFile _file = new();

    /// <summary>Every version before this one.</summary>
    public static TheoryData<int> Earlier => [.. Enumerable.Range(1, SqliteSchema.Version - 1)];

    public void Dispose() => _file.Dispose();

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_keep_every_task_and_go_on(int version)
    {
        using var filled = NewStore(Named("filled_"));
        await UpgradedStore.FillAsync(filled, by => _clock.Advance(by));
        CreateVersion(version, "upgraded_");
        foreach (var table in _tables)
        {
            var columns = string.Join(", ", ColumnsOf($"upgraded_{table}"));
            Execute($"insert into upgraded_{table} ({columns}) select {columns} from filled_{table}");
        }

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => SqliteSchema.MigrateAsync(Named("upgraded_")))));

        applied.Sum().Should().Be(SqliteSchema.Version - version, "each migration that is missing is applied once");
        using var upgraded = NewStore(Named("upgraded_"));
        (await UpgradedStore.DescribeAsync(upgraded)).Should().Equal(await UpgradedStore.DescribeAsync(filled));
        await UpgradedStore.GoOnAsync(upgraded, new RelationalTaskQueue(upgraded, _clock), by => _clock.Advance(by));
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_are_refused_where_the_host_does_not_migrate(int version)
    {
        CreateVersion(version, "old_");
        using var store = NewStore(Named("old_", migrates: false));

        (await store.Awaiting(old => old.StartAsync(default)).Should()
            .ThrowAsync<TaskSchemaException>()).WithMessage(
                $"*of version {version}; this package needs {SqliteSchema.Version}*");
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task The_script_from_an_earlier_version_does_the_same_as_a_migration(int version)
    {
        CreateVersion(version, "by_script_");
        Execute(SqliteSchema.GetScript(Named("by_script_"), version));
        using var store = NewStore(Named("by_script_", migrates: false));

        await store.StartAsync(default);

        (await SqliteSchema.MigrateAsync(Named("by_script_"))).Should().Be(0);
        (await store.WatchAsync(default)).Since.Should().Be(UpgradedStore.Start);
    }

    private SqliteTasksOptions Named(string prefix, bool migrates = true) =>
        new() { ConnectionString = _file.ConnectionString, TablePrefix = prefix, MigrateAtStart = migrates };

    private SqliteTaskStore NewStore(SqliteTasksOptions options) =>
        new(options, _clock, new LifecycleRules(), IdSource.Random, NullLogger<SqliteTaskStore>.Instance);

    private void CreateVersion(int version, string prefix)
    {
        Execute(
            $"create table {prefix}migrations (version integer primary key, applied text not null default "
                + $"current_timestamp) strict");
        var migrations = SqlTexts.LoadMigrations(
            typeof(SqliteSchema).Assembly, SqliteSchema.Words(Named(prefix)));
        for (var applied = 1; applied <= version; applied++)
        {
            Execute(migrations[applied - 1]);
            Execute($"insert into {prefix}migrations (version) values ({applied})");
        }
    }

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

    private void Execute(string sql)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
