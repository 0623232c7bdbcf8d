using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Tasks in PostgreSQL. What happens for every stage, claims and results, are single guarded statements for whole batches; everything
/// else holds the rows that it changes and asks the lifecycle. The clock is the database's.
/// </summary>
internal sealed partial class PostgreSqlTaskStore : RelationalTaskStore, IAsyncDisposable, IDisposable
{
    private const string DatabaseClock = "(extract(epoch from clock_timestamp()) * 10000000)::bigint";
    private const int Tries = 8;
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a batch of creations is halved, before what has no answer yet is left to its callers.</summary>
    private static readonly TimeSpan _mostHalving = TimeSpan.FromSeconds(1);

    /// <summary>How long a closing store waits for each of its own loops.</summary>
    private static readonly TimeSpan _mostClosing = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _dataSource;
    private readonly Place _place;
    private readonly Sessions _sessions;
    private readonly PostgreSqlTasksOptions _options;
    private readonly Func<DateTimeOffset>? _testTime;
    private readonly LifecycleFunction _next;
    private readonly SqlTexts _sql;
    private readonly Lazy<SqlTexts> _sqlWithoutLimits;
    private readonly OwnConnection _heartbeats;
    private readonly Batches<StageReport, ReportAnswer> _reports;
    private readonly BatchThread<NewTask, Created> _creations;
    private readonly OwnConnection _creating;
    private readonly OwnConnection? _listening;
    private readonly ILogger _logger;
    private readonly StoreOutages? _outages;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private HintChannel? _channel;
    private volatile bool _isReady;
    private volatile bool _isDisposed;

    /// <summary>Nothing is under way any more.</summary>
    private volatile bool _isClosed;

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
        : base(rules, ids, logger.Guarded(), clock)
    {
        PostgreSqlSchema.ThrowIfInvalid(options);
        _outages = outages;
        (_dataSource, _options, _logger, _testTime, _next) = (dataSource, options, logger.Guarded(), testTime, next ?? TaskLifecycle.Next);
        SqlTexts Texts(bool isLimited) => SqlTexts.Load(
            typeof(PostgreSqlTaskStore).Assembly, PostgreSqlSchema.Words(options, testTime is null ? DatabaseClock : "@now::bigint", isLimited), changeSql);
        _sql = Texts(!LockTimeout.IsIn(dataSource));
        _sqlWithoutLimits = new Lazy<SqlTexts>(() => LockTimeout.IsIn(dataSource) ? _sql : Texts(false));
        _place = new Place(dataSource.ConnectionString, options.Schema);
        _sessions = new Sessions(dataSource, apart, _place);
        _heartbeats = new OwnConnection(_sessions);
        _reports = new Batches<StageReport, ReportAnswer>(RecordBatchAsync, SizeOf);
        _creating = new OwnConnection(_sessions);
        _creations = new BatchThread<NewTask, Created>(
            "Kaiju.Tasks creations",
            _patience,
            tasks => CreateBatchAsync(tasks, CancellationToken.None).AsTask().GetAwaiter().GetResult(),
            task => task.Row.Bytes);
        _listening = options.PollingOnly ? null : new OwnConnection(_sessions);
        _sessions.ThrowIfUnfit();
    }

    /// <summary>Its statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _sql;

    internal string Schema => _options.Schema;

    /// <summary>Looks at the tables, creates them if that is asked for, and begins to listen. What fails in passing is tried again a few times, and then by the next step.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_isReady)
        {
            // What was accepted before is carried out to its end.
            ClosedStore.ThrowIf(_isClosed);
            return;
        }

        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ClosedStore.ThrowIf(_isDisposed);
            if (!_isReady)
            {
                if (await RepeatAsync(() => PrepareTablesAsync(cancellationToken), e => Faults.IsRolledBack(e) || Faults.IsOfConnection(e), cancellationToken).ConfigureAwait(false) is > 0 and var count)
                {
                    RelationalLog.Migrated(_logger, count);
                }

                _channel = _listening is null ? null : new HintChannel(_sessions, _listening, _options, Listeners, _logger, _outages, Ids.NewId().ToString("N"));
                _isReady = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, DbTransaction transaction, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        if (transaction is not NpgsqlTransaction { Connection: { } connection } own)
        {
            throw new ArgumentException(
                $"The transaction is {transaction?.GetType().Name ?? "null"}, or has ended; it must be an {nameof(NpgsqlTransaction)} on the database of the tasks.", nameof(transaction));
        }

        // What fails leaves nothing half done in the caller's transaction.
        const string Savepoint = "kaiju_create";
        try
        {
            await own.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException("The transaction has ended; a task is created before its commit.", nameof(transaction), e);
        }

        var place = new Place(connection.ConnectionString, _options.Schema);

        try
        {
            // How long the caller's transaction waits is the caller's affair.
            var step = NewStep(connection, false, cancellationToken, sql: _sqlWithoutLimits.Value);
            var answers = await CreateAllAsync(step, tasks, onConflict, context, Ids.NewId()).ConfigureAwait(false);
            await step.FlushAsync().ConfigureAwait(false);
            if (!_options.PollingOnly && step.Hints.Kinds != StoreHintKinds.None)
            {
                // In the caller's transaction, since nobody tells us of its commit; this process hears it like every other.
                using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection);
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _options.Schema });
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = HintPayload.Write(step.Hints, sender: "") });
                await notify.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }

            await own.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            return answers;
        }
        catch (Exception e)
        {
            await RollbackAsync(own, Savepoint).ConfigureAwait(false);
            if (e is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName })
            {
                throw new ArgumentException(
                    $"The transaction is on another database: there are no tables of tasks in {place}. The tasks are in "
                    + $"{_place}. Begin it on a connection to that database.",
                    nameof(transaction),
                    e);
            }

            if (place.IsWanted(e))
            {
                throw place.Located(e);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                await _closing.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(CloseCreationsAsync(), IsOverAsync(_reports.DisposeAsync(), "reports")).ConfigureAwait(false);
                if (_channel is not null)
                {
                    await _channel.DisposeAsync().ConfigureAwait(false);
                }

                await _heartbeats.DisposeAsync().ConfigureAwait(false);
                _closing.Dispose();
                _isClosed = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task CloseCreationsAsync()
    {
        if (await IsOverAsync(_creations.DisposeAsync(), "creations").ConfigureAwait(false))
        {
            await _creating.DisposeAsync().ConfigureAwait(false);
        }
        else
        {
            // Its thread still uses the connection, and ends with it.
            _creations.Abandon();
        }
    }

    /// <summary>A server that does not answer keeps no host from stopping.</summary>
    private async Task<bool> IsOverAsync(ValueTask end, string steps)
    {
        var ending = end.AsTask();
        await ending.WaitAsync(_mostClosing, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ending.IsCompleted)
        {
            RelationalLog.ClosedEarly(_logger, steps);
        }

        return ending.IsCompleted;
    }

    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    protected override string ExceptClause => " and s.task_no <> all(@except)";

    protected override bool IsOfRow(Exception e) => Faults.IsOfData(e) || (base.IsOfRow(e) && !Faults.IsOfConnection(e));

    protected override async ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        await AskAsync(act, Faults.IsPassing, cancellationToken).ConfigureAwait(false);

    // Without a transaction around it: a process that stands still between a statement and its commit would hold the row.
    protected override ValueTask<int> ExecuteAsync(string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        AskAsync(step => step.ExecuteAsync(statement, arguments), Faults.IsPassing, cancellationToken);

    protected override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        WriteAsync(false, act, waits: true, cancellationToken);

    /// <summary>Takes back what was done since a savepoint; a connection that is gone has taken back everything.</summary>
    private static async Task RollbackAsync(NpgsqlTransaction transaction, string savepoint)
    {
        try
        {
            await transaction.RollbackAsync(savepoint, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsOfConnection(e))
        {
            // The caller gets the fault that came first.
        }
    }

    /// <summary>How many migrations were applied; none where that is somebody else's, and then the tables must be there.</summary>
    private async Task<int> PrepareTablesAsync(CancellationToken cancellationToken)
    {
        if (_options.MigrateAtStart)
        {
            return await PostgreSqlSchema.MigrateAsync(_dataSource, _options, cancellationToken).ConfigureAwait(false);
        }

        await PostgreSqlSchema.ThrowIfNotCurrentAsync(_dataSource, _options, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    private PostgreSqlStep NewStep(
        NpgsqlConnection connection, bool isRepeated, CancellationToken cancellationToken, bool isBlocking = false, bool passesOver = false, SqlTexts? sql = null) =>
        new(connection, _testTime, sql ?? _sql, Rules, _next, NewJobId, cancellationToken) { IsRepeated = isRepeated, IsBlocking = isBlocking, PassesOver = passesOver };

    private void PublishHints(SqlStep step)
    {
        PublishHints(step.Hints);
        foreach (var (finished, next, result) in step.LostChains)
        {
            RelationalLog.ChainLost(_logger, finished, next, result);
        }
    }

    /// <summary>Tells our own listeners, and other processes unless the statement has done so.</summary>
    private void PublishHints(StoreHint hint, bool isTold = false)
    {
        if (hint.Kinds == StoreHintKinds.None)
        {
            return;
        }

        Listeners.Publish(hint);
        if (!isTold)
        {
            _channel?.Send(hint);
        }
    }
}
