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

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Tables_of_version_1_keep_every_task_and_go_on()
    {
        using var filled = NewStore(Named("filled_"));
        await UpgradedStore.FillAsync(filled, by => _clock.Advance(by));
        CreateVersion1("upgraded_");
        foreach (var table in _tables)
        {
            Execute($"insert into upgraded_{table} select * from filled_{table}");
        }

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => SqliteSchema.MigrateAsync(Named("upgraded_")))));

        applied.Sum().Should().Be(SqliteSchema.Version - 1, "each migration that is missing is applied once");
        using var upgraded = NewStore(Named("upgraded_"));
        (await UpgradedStore.DescribeAsync(upgraded)).Should().Equal(await UpgradedStore.DescribeAsync(filled));
        await UpgradedStore.GoOnAsync(upgraded, new RelationalTaskQueue(upgraded, _clock), by => _clock.Advance(by));
    }

    [Fact]
    public async Task Tables_of_version_1_are_refused_where_the_host_does_not_migrate()
    {
        CreateVersion1("old_");
        using var store = NewStore(Named("old_", migrates: false));

        (await store.Awaiting(old => old.StartAsync(default)).Should()
            .ThrowAsync<TaskSchemaException>()).WithMessage("*of version 1; this package needs 2*");
    }

    [Fact]
    public async Task The_script_from_version_1_does_the_same_as_a_migration()
    {
        CreateVersion1("by_script_");
        Execute(SqliteSchema.GetScript(Named("by_script_"), fromVersion: 1));
        using var store = NewStore(Named("by_script_", migrates: false));

        await store.StartAsync(default);

        (await SqliteSchema.MigrateAsync(Named("by_script_"))).Should().Be(0);
        (await store.WatchAsync(default)).Since.Should().Be(UpgradedStore.Start);
    }

    private SqliteTasksOptions Named(string prefix, bool migrates = true) =>
        new() { ConnectionString = _file.ConnectionString, TablePrefix = prefix, MigrateAtStart = migrates };

    private SqliteTaskStore NewStore(SqliteTasksOptions options) =>
        new(options, _clock, new LifecycleRules(), IdSource.Random, NullLogger<SqliteTaskStore>.Instance);

    private void CreateVersion1(string prefix)
    {
        Execute(
            $"create table {prefix}migrations (version integer primary key, applied text not null default "
                + $"current_timestamp) strict");
        Execute(SqlTexts.LoadMigrations(typeof(SqliteSchema).Assembly, SqliteSchema.Words(Named(prefix)))[0]);
        Execute($"insert into {prefix}migrations (version) values (1)");
    }

    private void Execute(string sql)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
