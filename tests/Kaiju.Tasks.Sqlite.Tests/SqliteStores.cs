using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Contracts.Conformance;
using Kaiju.Tasks.Contracts.Model;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>Empty stores, each in a file of its own that is deleted afterwards, on fake time.</summary>
internal static class SqliteStores
{
    public static ValueTask<OpenedStore> OpenAsync(LifecycleRules rules, DateTimeOffset start) =>
        OpenAsync(rules, start, TaskLifecycle.Next);

    public static ValueTask<OpenedStore> OpenAsync(
        LifecycleRules rules, DateTimeOffset start, LifecycleFunction next, Func<string, string>? changeSql = null)
    {
        var clock = new FakeTimeProvider(start);
        var file = new TemporaryFile();
        var store = new SqliteTaskStore(
            file.Options, clock, rules, IdSource.Random, NullLogger<SqliteTaskStore>.Instance, next, changeSql);
        var queue = new RelationalTaskQueue(store, clock);
        return new(new OpenedStore(store, queue, Advance, new Owner(store, queue, file)) { PutBack = PutBack });

        ValueTask<DateTimeOffset> Advance(TimeSpan by)
        {
            clock.Advance(by);
            return new(clock.GetUtcNow());
        }

        ValueTask<DateTimeOffset> PutBack(TimeSpan by)
        {
            clock.AdjustTime(clock.GetUtcNow() - by);
            return new(clock.GetUtcNow());
        }
    }

    /// <summary>A store whose file a test can change directly.</summary>
    public static ValueTask<BareStore> OpenBareAsync(LifecycleFunction next)
    {
        var (clock, file, logs) = (new FakeTimeProvider(BareStore.Start), new TemporaryFile(), new BareLogs());
        var store = new SqliteTaskStore(
            file.Options, clock, new LifecycleRules(), IdSource.Random, new BareLogger<SqliteTaskStore>(logs), next);
        var queue = new RelationalTaskQueue(store, clock);
        return new(
            new BareStore(new OpenedStore(store, queue, Advance, new Owner(store, queue, file)), ExecuteAsync, logs));

        ValueTask<DateTimeOffset> Advance(TimeSpan by)
        {
            clock.Advance(by);
            return new(clock.GetUtcNow());
        }

        async Task ExecuteAsync(string sql)
        {
            // The first call creates the tables.
            await store.ListExecutorsAsync(default);
            await using var connection = new Microsoft.Data.Sqlite.SqliteConnection(
                $"{file.ConnectionString};Pooling=false");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = BareStore.Names().Replace(sql, "kaiju_$1");
            await command.ExecuteNonQueryAsync();
        }
    }

    private sealed class Owner(SqliteTaskStore store, RelationalTaskQueue queue, TemporaryFile file) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            queue.Dispose();
            store.Dispose();
            file.Dispose();
            return default;
        }
    }
}

/// <summary>A database file in a folder of its own.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kaiju-tasks-").FullName;

    public string Path => System.IO.Path.Combine(_folder, "tasks.db");

    public string ConnectionString => $"Data Source={Path}";

    public SqliteTasksOptions Options => new() { ConnectionString = ConnectionString };

    /// <summary>A connection that does not belong to the store.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection($"{ConnectionString};Pooling=False");
        connection.Open();
        return connection;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            // On Windows a file that a pooled connection holds open cannot be deleted. Only one connection's pool is
            // cleared, so that other tests keep theirs.
            using var connection = new SqliteConnection(ConnectionString);
            SqliteConnection.ClearPool(connection);
        }

        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception exception) when (
            OperatingSystem.IsWindows() && exception is (IOException or UnauthorizedAccessException))
        {
            // A test must not fail because its folder is left behind.
        }
    }
}

public sealed class SqliteModelTests(ITestOutputHelper output) : StoreModelTests(SqliteStores.OpenAsync)
{
    protected override int Sequences => 300;

    protected override bool ChainsAtOnce => false;

    /// <summary>The guards in statements, each removed from its statement.</summary>
    [Theory]
    [InlineData("and s.claim = @claim -- guard: claim", "")]
    [InlineData("and s.stage = @stage -- guard: stage", "")]
    [InlineData("and s.hold = 0 and s.app = @app/*except*/", "and s.app = @app/*except*/")]
    [InlineData("c.executor_id = @executor and c.app", "c.app")]
    [InlineData("p.app = a.value and p.method = ''", "p.app = ''")]
    public async Task Each_guard_that_is_removed_from_a_statement_is_caught_by_the_model(string guard, string without)
    {
        var isChanged = false;
        var found = await FindDifferenceAsync(
            (rules, start) => SqliteStores.OpenAsync(rules, start, TaskLifecycle.Next, sql =>
            {
                isChanged |= sql.Contains(guard, StringComparison.Ordinal);
                return sql.Replace(guard, without, StringComparison.Ordinal);
            }),
            sequences: 2000);
        isChanged.Should().BeTrue("there is a statement with the guard");
        output.WriteLine(found ?? "nothing was seen of it.");
        found.Should().NotBeNull();
    }

    /// <summary>
    /// The rules that are decided by the lifecycle, each broken in turn; claims and results have their own statements.
    /// </summary>
    [Fact]
    public async Task Each_rule_that_is_removed_is_caught_by_the_model()
    {
        foreach (var (name, broken) in BrokenModelRules.All.Where(
            rule => !rule.Name.StartsWith("claim:", StringComparison.Ordinal)))
        {
            var found = await FindDifferenceAsync(
                (rules, start) => SqliteStores.OpenAsync(rules, start, broken),
                sequences: 2000,
                BrokenMemory.Of(broken));
            output.WriteLine($"{name}: {found ?? "nothing was seen of it."}");
            found.Should().NotBeNull("a store without the rule \"{0}\" is broken", name);
        }
    }
}

public sealed class SqliteTransitionTests() : StoreTransitionTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreCreationTests() : StoreCreationTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreReadingTests() : StoreReadingTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreDeploymentTests() : StoreDeploymentTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreSteeringTests() : StoreSteeringTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreRetryTests() : StoreRetryTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreBulkTests() : StoreBulkTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreDutyTests() : StoreDutyTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreRoutingTests() : StoreRoutingTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreWatchTests() : StoreWatchTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreAttendanceTests() : StoreAttendanceTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreExecutorTests() : StoreExecutorTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreNotificationTests() : StoreNotificationTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreHintTests() : StoreHintTests(SqliteStores.OpenAsync);

public sealed class SqliteStoreConcurrencyTests() : StoreConcurrencyTests(SqliteStores.OpenAsync);

public sealed class SqliteRowFaultTests() : RowFaultTests(SqliteStores.OpenBareAsync);

public sealed class SqliteRollingDeploymentTests() : RollingDeploymentTests(SqliteStores.OpenBareAsync);

public sealed class SqliteQueueTests() : TaskQueueTests(SqliteStores.OpenAsync);

public sealed class SqliteLargeTaskTests : LargeTaskTests
{
    private protected override ValueTask<OpenedStore> OpenAsync() =>
        SqliteStores.OpenAsync(new LifecycleRules(), DateTimeOffset.UnixEpoch.AddYears(50));
}

public sealed class SqliteColumnTests : TaskColumnTests
{
    private protected override ValueTask<OpenedStore> OpenAsync(DateTimeOffset start) =>
        SqliteStores.OpenAsync(new LifecycleRules(), start);
}
