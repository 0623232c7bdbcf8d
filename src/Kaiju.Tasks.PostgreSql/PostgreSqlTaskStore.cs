using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Keeps tasks in PostgreSQL. Claims and results, which occur for every stage, are guarded statements for whole
/// batches. Everything else holds the rows that it changes and asks the lifecycle. The clock is the database's. See
/// docs/decisions/0005.
/// </summary>
internal sealed class PostgreSqlTaskStore : RelationalTaskStore, IAsyncDisposable, IDisposable
{
    private const string DatabaseClock = "(extract(epoch from clock_timestamp()) * 10000000)::bigint";

    /// <summary>The longest wait of a closing store for each of its own loops.</summary>
    private static readonly TimeSpan _mostClosing = TimeSpan.FromSeconds(10);

    private readonly StoreParts _parts;
    private readonly PostgreSqlRetries _retries;
    private readonly PostgreSqlStart _start;
    private readonly DedicatedConnection _heartbeats;
    private readonly CreationBatches _creations;
    private readonly ReportBatches _reports;

    public PostgreSqlTaskStore(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions options,
        LifecycleRules rules,
        IdSource ids,
        ILogger<PostgreSqlTaskStore> logger,
        Func<DateTimeOffset>? testTime = null,
        LifecycleFunction? next = null,
        Func<string, string>? changeSql = null,
        NpgsqlDataSource? apart = null,
        TimeProvider? clock = null,
        StoreOutages? outages = null)
    {
        PostgreSqlSchema.ThrowIfInvalid(options);
        SqlTexts Texts(bool isLimited) => SqlTexts.Load(
            typeof(PostgreSqlTaskStore).Assembly,
            PostgreSqlSchema.Words(options, testTime is null ? DatabaseClock : "@now::bigint", isLimited),
            changeSql);
        var isLimited = LockTimeout.IsIn(dataSource);
        Schema = options.Schema;
        _parts = new StoreParts(
            rules, next ?? TaskLifecycle.Next, ids, Texts(!isLimited), clock ?? TimeProvider.System, logger.Guarded());
        var place = new Place(dataSource.ConnectionString, options.Schema);
        var connections = new PostgreSqlConnections(dataSource, apart, place);
        _retries = new PostgreSqlRetries(connections, _parts, place, outages);
        var listening = options.PollingOnly ? null : new DedicatedConnection(connections);
        _start = new PostgreSqlStart(dataSource, options, _retries, _parts, listening is null ? null : Listen)
        {
            Close = CloseAsync,
        };
        var session = new PostgreSqlSession(connections, _start, _retries, _parts, place, testTime);
        _heartbeats = new DedicatedConnection(connections);
        _creations = new CreationBatches(session, _parts, _retries, connections, options.Schema);
        _reports = new ReportBatches(session, _retries);

        var moves = new RowMoves(session, _parts);
        Claims = new PostgreSqlClaims(session, _parts, moves);
        Executors = new PostgreSqlExecutorPort(session, _parts, moves, _retries, _heartbeats);
        Reading = new TaskReading(session, _parts);
        Steering = new TaskSteering(session, _parts);
        Duties = new ManagerDuties(session, _parts, moves);
        Notifications = new NotificationStore(session, _parts);
        InCallersTransaction = new CallersTransaction(
            new Lazy<StoreParts>(() => isLimited ? _parts : _parts with { Sql = Texts(isLimited: false) }),
            options,
            place,
            testTime);
        connections.ThrowIfUnfit();

        HintChannel Listen() => new(
            connections, listening, options, _parts.Listeners, _parts.Logger, outages, ids.NewId().ToString("N"));
    }

    public override ITransactionalCreation InCallersTransaction { get; }

    internal override QueueClaims Claims { get; }

    /// <summary>The statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _parts.Sql;

    internal string Schema { get; }

    protected override ReportRecording Reports => _reports;

    protected override ExecutorPort Executors { get; }

    protected override TaskCreation Creation => _creations;

    protected override TaskReading Reading { get; }

    protected override TaskSteering Steering { get; }

    protected override ManagerDuties Duties { get; }

    protected override NotificationStore Notifications { get; }

    protected override HintListeners Listeners => _parts.Listeners;

    /// <summary>Prepares the store for its first step, which otherwise does it.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _start.EnsureAsync(cancellationToken);

    public ValueTask DisposeAsync() => _start.DisposeAsync();

    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    private async Task CloseAsync()
    {
        await _retries.EndWaitsAsync().ConfigureAwait(false);
        await Task.WhenAll(
            CloseCreationsAsync(), IsOverAsync(_reports.DisposeAsync(), "reports")).ConfigureAwait(false);
        if (_start.Channel is { } channel)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }

        await _heartbeats.DisposeAsync().ConfigureAwait(false);
        _retries.Dispose();
    }

    private async Task CloseCreationsAsync()
    {
        if (!await IsOverAsync(_creations.DisposeAsync(), "creations").ConfigureAwait(false))
        {
            _creations.Abandon();
        }
    }

    /// <summary>Waits a limited time, so that a server that does not answer cannot keep a host from stopping.</summary>
    private async Task<bool> IsOverAsync(ValueTask end, string steps)
    {
        var ending = end.AsTask();
        await ending.WaitAsync(_mostClosing, TimeProvider.System).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing);
        if (!ending.IsCompleted)
        {
            RelationalLog.ClosedEarly(_parts.Logger, steps);
        }

        return ending.IsCompleted;
    }
}
