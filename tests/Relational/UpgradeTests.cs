using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Relational;

/// <summary>The schema version that the package needs.</summary>
public interface ISchemaVersion
{
    static abstract int Version { get; }
}

/// <summary>
/// Tables of an earlier version with tasks in every state are upgraded: no task is lost, and work resumes. The name is
/// the schema in PostgreSQL and the table prefix in SQLite.
/// </summary>
public abstract class UpgradeTests<TSchema>
    where TSchema : ISchemaVersion
{
    private static readonly string[] _tables = [
        "tasks", "states", "results", "failures", "runs", "notifications", "executors"];

    /// <summary>Every version before the one that the package needs.</summary>
#pragma warning disable CA1000 // xunit looks for the data of a theory in the class that declares the theory.
    public static TheoryData<int> Earlier => [.. Enumerable.Range(1, TSchema.Version - 1)];
#pragma warning restore CA1000

    private protected FakeTimeProvider Clock { get; } = new(UpgradedStore.Start);

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_keep_every_task_and_work_after_a_migration(int version)
    {
        await using var filled = NewStore("filled_");
        await filled.StartAsync();
        await UpgradedStore.FillAsync(filled.Store, by => Clock.Advance(by));
        await CreateVersionAsync(version, "upgraded_");
        foreach (var table in _tables)
        {
            await CopyAsync(table, "filled_", "upgraded_");
        }

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => MigrateAsync("upgraded_"))));

        applied.Sum().Should().Be(TSchema.Version - version, "each migration that is missing is applied once");
        await using var upgraded = NewStore("upgraded_");
        await upgraded.StartAsync();
        (await UpgradedStore.DescribeAsync(upgraded.Store)).Should()
            .Equal(await UpgradedStore.DescribeAsync(filled.Store));
        await UpgradedStore.CompleteAsync(
            upgraded.Store, new RelationalTaskQueue(upgraded.Store, Clock), by => Clock.Advance(by));
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task Tables_of_an_earlier_version_are_refused_where_the_host_does_not_migrate(int version)
    {
        await CreateVersionAsync(version, "old_");
        await using var store = NewStore("old_", migrates: false);

        await FluentActions.Awaiting(store.StartAsync).Should().ThrowAsync<TaskSchemaException>().WithMessage(
            $"*of version {version}; this package needs {TSchema.Version}*");
    }

    [Theory]
    [MemberData(nameof(Earlier))]
    public async Task The_script_from_an_earlier_version_gives_the_same_schema_as_a_migration(int version)
    {
        await CreateVersionAsync(version, "by_script_");
        await ExecuteAsync(GetScript("by_script_", version));
        await using var store = NewStore("by_script_", migrates: false);

        await store.StartAsync();

        (await MigrateAsync("by_script_")).Should().Be(0);
        (await store.Store.WatchAsync(default)).Since.Should().Be(UpgradedStore.Start);
    }

    /// <summary>A package of before resets the number of all retries alone.</summary>
    [Fact]
    public async Task A_run_that_an_older_package_began_has_all_of_its_retries()
    {
        await using var store = NewStore("beside_");
        await store.StartAsync();
        await store.Store.CreateAsync(
            [Checked.Definition(new TaskDefinition { Id = "t", Commands = [new("do")], MaxRetries = 1 })],
            OnConflict.Fail,
            CallContext.Empty,
            default);
        await ExecuteAsync($"update {Table("beside_", "states")} set retries = 0, free_retries = 3");

        var read = (await store.Store.GetAsync("t", default))!;
        var executor = new ExecutorInfo { Id = "e", AppName = "default", Apps = ["default"], Capacity = 1 };
        var claimed = (await store.Store.ClaimAsync(executor, ["t"], default))[0];

        (read.Retries, read.Managed.FreeRetries, read.Attempt).Should().Be((0, 0, 1));
        (claimed.Retries, claimed.Attempt).Should().Be((0, 1));
    }

    protected abstract Task<int> MigrateAsync(string name);

    protected abstract string GetScript(string name, int fromVersion);

    protected abstract Task ExecuteAsync(string sql);

    private protected abstract StartableStore NewStore(string name, bool migrates = true);

    /// <summary>Creates an empty table of versions, and nothing else.</summary>
    private protected abstract Task CreateVersionsAsync(string name);

    /// <summary>The statements of all versions.</summary>
    private protected abstract IReadOnlyList<string> Migrations(string name);

    /// <summary>A table's name in a statement.</summary>
    private protected abstract string Table(string name, string table);

    /// <summary>Copies the rows of a table, in the columns that both have.</summary>
    private protected abstract Task CopyAsync(string table, string from, string to);

    private async Task CreateVersionAsync(int version, string name)
    {
        await CreateVersionsAsync(name);
        var migrations = Migrations(name);
        for (var applied = 1; applied <= version; applied++)
        {
            await ExecuteAsync(migrations[applied - 1]);
            await ExecuteAsync($"insert into {Table(name, "migrations")} (version) values ({applied})");
        }
    }

    /// <summary>A store, and how a host starts it.</summary>
    private protected sealed class StartableStore(
        RelationalTaskStore store, Func<CancellationToken, Task> start) : IAsyncDisposable
    {
        public RelationalTaskStore Store => store;

        public Task StartAsync() => start(default);

        public ValueTask DisposeAsync() => ((IAsyncDisposable)store).DisposeAsync();
    }
}
