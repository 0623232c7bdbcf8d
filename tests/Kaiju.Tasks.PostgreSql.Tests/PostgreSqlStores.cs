using System.Collections.Concurrent;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Contracts.Conformance;
using Kaiju.Tasks.Contracts.Model;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Xunit.Abstractions;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The servers of this run, each started by the first test that needs it.</summary>
internal static class Servers
{
    private static readonly Lazy<Task<PostgresServer>> _postgres = new(() => PostgresServer.StartAsync());
    private static readonly Lazy<Task<PgBouncer>> _bouncer = new(
        async () => await PgBouncer.StartAsync(await _postgres.Value));
    private static readonly Lazy<Task<string>> _database = new(
        async () => await (await _postgres.Value).CreateDatabaseAsync("contracts"));

    public static Task<PostgresServer> PostgresAsync() => _postgres.Value;

    public static Task<PgBouncer> BouncerAsync() => _bouncer.Value;

    /// <summary>A database for several stores, each in its own schema.</summary>
    public static Task<string> DatabaseAsync() => _database.Value;
}

/// <summary>Empty stores, each in a schema of its own for as long as it is open, on fake time.</summary>
internal sealed class PostgreSqlStores(bool isThroughBouncer)
{
    private static readonly PostgreSqlStores _direct = new(false);
    private static readonly PostgreSqlStores _bounced = new(true);
    private static int _schemas;

    private readonly ConcurrentBag<string> _free = [];
    private readonly Lazy<Task<NpgsqlDataSource>> _dataSource = new(async () =>
    {
        var database = await Servers.DatabaseAsync();
        var connectionString = isThroughBouncer
            ? (await Servers.BouncerAsync()).ConnectionString(database)
            : (await Servers.PostgresAsync()).ConnectionString(database);
        return DedicatedDataSource.Build(connectionString, isThroughBouncer);
    });

    public static ValueTask<OpenedStore> OpenAsync(LifecycleRules rules, DateTimeOffset start) =>
        _direct.OpenAsync(rules, start, null, null);

    public static ValueTask<OpenedStore> OpenBouncedAsync(LifecycleRules rules, DateTimeOffset start) =>
        _bounced.OpenAsync(rules, start, null, null);

    /// <summary>A store with a deliberately broken statement or rule.</summary>
    public static ValueTask<OpenedStore> OpenBrokenAsync(
        LifecycleRules rules, DateTimeOffset start, LifecycleFunction? next, Func<string, string>? changeSql) =>
        _direct.OpenAsync(rules, start, next, changeSql);

    /// <summary>A store whose tables a test can change directly.</summary>
    public static async ValueTask<BareStore> OpenBareAsync(LifecycleFunction next)
    {
        var logs = new BareLogs();
        var opened = await _direct.OpenAsync(
            new LifecycleRules(), BareStore.Start, next, null, new BareLogger<PostgreSqlTaskStore>(logs));
        var store = (PostgreSqlTaskStore)opened.Store;
        return new BareStore(opened, ExecuteAsync, logs);

        async Task ExecuteAsync(string sql)
        {
            await using var command = (await _direct._dataSource.Value).CreateCommand(
                BareStore.Names().Replace(sql, $"{store.Schema}.$1"));
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>
    /// A store that begins to listen gives a hint about anything; a test must only receive hints of its own steps.
    /// </summary>
    private static async Task ListenedAsync(PostgreSqlTaskStore store)
    {
        var isUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listening = store.Listen(_ => isUp.TrySetResult());
        await store.StartAsync(default);
        await isUp.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async ValueTask<OpenedStore> OpenAsync(
        LifecycleRules rules,
        DateTimeOffset start,
        LifecycleFunction? next,
        Func<string, string>? changeSql,
        ILogger<PostgreSqlTaskStore>? logger = null)
    {
        var dataSource = await _dataSource.Value;
        if (!_free.TryTake(out var schema))
        {
            schema = $"store_{Interlocked.Increment(ref _schemas)}";
        }

        var options = new PostgreSqlTasksOptions { Schema = schema, PollingOnly = isThroughBouncer };
        await PostgreSqlSchema.MigrateAsync(dataSource, options);
        var tables = new[]
        {
            "tasks", "states", "results", "failures", "runs", "notifications", "executors", "watch", "announcements",
            "commands", "pauses", "holds",
        };
        await using (var clear = dataSource.CreateCommand(
            string.Join(';', tables.Select(table => $"delete from {schema}.{table}"))
                + $"; update {schema}.routing set is_changed = false, app = '', priority = 0, queued_at = 0"))
        {
            await clear.ExecuteNonQueryAsync();
        }

        var clock = new FakeTimeProvider(start);
        var store = new PostgreSqlTaskStore(
            dataSource,
            options,
            rules,
            IdSource.Random,
            logger ?? NullLogger<PostgreSqlTaskStore>.Instance,
            clock.GetUtcNow,
            next,
            changeSql,
            clock: clock);
        if (!isThroughBouncer)
        {
            await ListenedAsync(store);
        }

        var queue = new RelationalTaskQueue(store, clock);
        return new OpenedStore(store, queue, Advance, new Owner(store, queue, () => _free.Add(schema)))
        {
            PutBack = PutBack,
        };

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

    private sealed class Owner(PostgreSqlTaskStore store, RelationalTaskQueue queue, Action giveBack) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            queue.Dispose();
            await store.DisposeAsync();
            giveBack();
        }
    }
}

public sealed class PostgreSqlModelTests(ITestOutputHelper output) : StoreModelTests(PostgreSqlStores.OpenAsync)
{
    protected override int Sequences => 300;

    protected override bool ChainsAtOnce => false;

    /// <summary>The guards in statements, each removed from its statement.</summary>
    [Theory]
    [InlineData("and s.claim = d.claim -- guard: claim", "")]
    [InlineData("and s.stage = d.stage -- guard: stage", "")]
    [InlineData("and s.state = 1 and s.enabled and s.hold = 0 -- guard: state", "and s.state in (1, 2) and s.hold = 0")]
    [InlineData("and s.state = 1 and s.enabled and s.hold = 0 -- guard: state", "and s.state = 1 and s.enabled")]
    [InlineData("c.executor_id = @executor and c.app", "c.app")]
    [InlineData("p.app = a.app and p.method = ''", "p.app = ''")]
    public async Task Each_guard_that_is_removed_from_a_statement_is_caught_by_the_model(string guard, string without)
    {
        var isChanged = false;
        var found = await FindDifferenceAsync(
            (rules, start) => PostgreSqlStores.OpenBrokenAsync(rules, start, null, sql =>
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
    /// The rules that are decided while rows are held, each broken in turn; claims and results have their own
    /// statements.
    /// </summary>
    [Fact]
    public async Task Each_rule_that_is_removed_is_caught_by_the_model()
    {
        foreach (var (name, broken) in BrokenModelRules.All.Where(
            rule => !rule.Name.StartsWith("claim:", StringComparison.Ordinal)))
        {
            var found = await FindDifferenceAsync(
                (rules, start) => PostgreSqlStores.OpenBrokenAsync(rules, start, broken, null),
                sequences: 2000,
                BrokenMemory.Of(broken));
            output.WriteLine($"{name}: {found ?? "nothing was seen of it."}");
            found.Should().NotBeNull("a store without the rule \"{0}\" is broken", name);
        }
    }
}

public sealed class PostgreSqlTransitionTests() : StoreTransitionTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreCreationTests() : StoreCreationTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreReadingTests() : StoreReadingTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreDeploymentTests() : StoreDeploymentTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreSteeringTests() : StoreSteeringTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreRetryTests() : StoreRetryTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreBulkTests() : StoreBulkTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreDutyTests() : StoreDutyTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreRoutingTests() : StoreRoutingTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreWatchTests() : StoreWatchTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreAttendanceTests() : StoreAttendanceTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreExecutorTests() : StoreExecutorTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreNotificationTests() : StoreNotificationTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreHintTests() : StoreHintTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlStoreConcurrencyTests() : StoreConcurrencyTests(PostgreSqlStores.OpenAsync);

public sealed class PostgreSqlLargeTaskTests : LargeTaskTests
{
    private protected override ValueTask<OpenedStore> OpenAsync() =>
        PostgreSqlStores.OpenAsync(new LifecycleRules(), DateTimeOffset.UnixEpoch.AddYears(50));
}

public sealed class PostgreSqlRowFaultTests() : RowFaultTests(PostgreSqlStores.OpenBareAsync);

public sealed class PostgreSqlRollingDeploymentTests() : RollingDeploymentTests(PostgreSqlStores.OpenBareAsync);

public sealed class PostgreSqlQueueTests() : TaskQueueTests(PostgreSqlStores.OpenAsync);

public sealed class BouncedModelTests() : StoreModelTests(PostgreSqlStores.OpenBouncedAsync)
{
    protected override int Sequences => 300;

    protected override bool ChainsAtOnce => false;
}

public sealed class BouncedTransitionTests() : StoreTransitionTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreCreationTests() : StoreCreationTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreReadingTests() : StoreReadingTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreDeploymentTests() : StoreDeploymentTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreSteeringTests() : StoreSteeringTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreRetryTests() : StoreRetryTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreBulkTests() : StoreBulkTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreDutyTests() : StoreDutyTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreRoutingTests() : StoreRoutingTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreWatchTests() : StoreWatchTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreAttendanceTests() : StoreAttendanceTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreExecutorTests() : StoreExecutorTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreNotificationTests() : StoreNotificationTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreHintTests() : StoreHintTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedStoreConcurrencyTests() : StoreConcurrencyTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class BouncedQueueTests() : TaskQueueTests(PostgreSqlStores.OpenBouncedAsync);

public sealed class PostgreSqlColumnTests : TaskColumnTests
{
    private protected override ValueTask<OpenedStore> OpenAsync(DateTimeOffset start) =>
        PostgreSqlStores.OpenAsync(new LifecycleRules(), start);
}
