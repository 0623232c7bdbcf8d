using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>Tasks in a SQLite file: one writer for the process, readers beside it, and the machine's clock, which all processes on the file share.</summary>
internal sealed partial class SqliteTaskStore : RelationalTaskStore, IAsyncDisposable, IDisposable
{
    private readonly SqliteTasksOptions _options;
    private readonly TimeProvider _clock;
    private readonly LifecycleFunction _next;
    private readonly SqlTexts _sql;
    private readonly SqliteConnections _connections;
    private readonly Batches<StageReport, ReportAnswer> _reports;
    private readonly ILogger _logger;
    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _stop = new();
    private Task<SqliteWriter>? _start;
    private volatile SqliteWriter? _writer;
    private bool _isDisposed;

    public SqliteTaskStore(
        SqliteTasksOptions options,
        TimeProvider clock,
        LifecycleRules rules,
        IdSource ids,
        ILogger<SqliteTaskStore> logger,
        LifecycleFunction? next = null,
        Func<string, string>? changeSql = null)
        : base(rules, ids, logger.Guarded(), clock)
    {
        SqliteSchema.ThrowIfInvalid(options);
        (_options, _clock, _logger, _next) = (options, clock, logger.Guarded(), next ?? TaskLifecycle.Next);
        _sql = SqlTexts.Load(typeof(SqliteTaskStore).Assembly, SqliteSchema.Words(options), changeSql);
        _reports = new Batches<StageReport, ReportAnswer>(RecordBatchAsync, SizeOf);
        _connections = new SqliteConnections(options);
    }

    /// <summary>Its statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _sql;

    /// <summary>Opens the file and its tables. Whoever asks meanwhile shares the outcome; what fails is tried again by the next step.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _writer is not null ? Task.CompletedTask : BeginStart().WaitAsync(cancellationToken);

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, DbTransaction transaction, CallContext context, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        if (transaction is not SqliteTransaction { Connection: { } connection } own)
        {
            throw new ArgumentException($"The transaction is {transaction?.GetType().Name ?? "null"}, or has ended; it must be a {nameof(SqliteTransaction)} on the file of the tasks.", nameof(transaction));
        }

        cancellationToken.ThrowIfCancellationRequested();
        using var statements = new SqliteStatements(connection, own);

        try
        {
            // A transaction that has not written yet takes the file's lock here.
            return await LockWait.UseAsync(() => Create(statements, tasks, onConflict, context), _options, cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (IsOfAnotherFile(e, connection))
        {
            throw new ArgumentException(
                $"The transaction is on the SQLite file \"{SqliteFile.PathOf(connection)}\", which has no table "
                + $"{_options.TablePrefix}tasks; the tasks are in \"{SqliteFile.PathOf(_options)}\". "
                + "Begin it on a connection to that file.",
                nameof(transaction),
                e);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(connection));
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First: reports that are under way may have to start the writer.
        await _reports.DisposeAsync().ConfigureAwait(false);
        Task<SqliteWriter>? start;
        lock (_starting)
        {
            (start, _isDisposed) = (_isDisposed ? null : _start, true);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        if (start is not null)
        {
            await ((Task)start).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_writer is { } writer)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }

        _connections.Dispose();
    }

    // Not on the caller's thread, whose context may have only that one.
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    protected override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        WriteLargeAsync(act, 0, cancellationToken);

    protected override ValueTask<T> WriteLargeAsync<T>(Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _writer is { } writer ? new ValueTask<T>(writer.WriteAsync(act, bytes, cancellationToken)) : StartAndWriteAsync(act, bytes, cancellationToken);
    }

    /// <summary>Reads on the caller's thread: a reader waits for nobody, and where the file is locked after all, it waits without the thread.</summary>
    protected override async ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_writer is null)
        {
            await BeginStart().WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            // Nothing in a step waits, so what it returns has ended.
            return await LockWait.UseAsync(
                () => _connections.Read(reader => act(NewStep(reader.Statements)).AsTask().GetAwaiter().GetResult()), _options, cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(_options));
        }
    }

    /// <summary>The caller's transaction does not see the tables, since it is on a file without them.</summary>
    private bool IsOfAnotherFile(SqliteException e, SqliteConnection connection)
    {
        if (e.SqliteErrorCode != raw.SQLITE_ERROR)
        {
            return false;
        }

        using var table = connection.CreateCommand();
        table.CommandText = $"select count(*) from pragma_table_list where name = '{_options.TablePrefix}tasks'";
        return table.ExecuteScalar() is 0L;
    }

    private IReadOnlyList<CreateAnswer> Create(SqliteStatements statements, IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CallContext context)
    {
        statements.Command("savepoint kaiju_create").ExecuteNonQuery();
        try
        {
            // Nothing in a step waits, so what it returns has ended.
            var step = NewStep(statements);
            var answers = CreateAllAsync(step, tasks, onConflict, context, Ids.NewId()).AsTask().GetAwaiter().GetResult();
            step.FlushAsync().AsTask().GetAwaiter().GetResult();
            statements.Command("release kaiju_create").ExecuteNonQuery();
            return answers;
        }
        catch
        {
            // What fails leaves nothing half done in the caller's transaction.
            RollBackToSavepoint(statements);
            throw;
        }
    }

    private static void RollBackToSavepoint(SqliteStatements statements)
    {
        try
        {
            statements.Command("rollback to kaiju_create").ExecuteNonQuery();
            statements.Command("release kaiju_create").ExecuteNonQuery();
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            // SQLite has rolled back the whole transaction; the exception that is thrown says why.
        }
    }

    protected override string ExceptClause => " and s.task_no not in (select value from json_each(@except))";

    protected override bool IsOfRow(Exception e) => Faults.KindOf(e) == FaultKind.Data || base.IsOfRow(e);

    private SqliteStep NewStep(SqliteStatements statements, bool isRepeated = false) =>
        new(statements, _clock.GetUtcNow(), _sql, Rules, _next, NewJobId) { IsRepeated = isRepeated };

    private async ValueTask<T> StartAndWriteAsync<T>(Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken)
    {
        var writer = await BeginStart().WaitAsync(cancellationToken).ConfigureAwait(false);
        return await writer.WriteAsync(act, bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The start that is under way or has succeeded, or a new one. Not on the caller's thread, which may be the only one of its context.</summary>
    private Task<SqliteWriter> BeginStart()
    {
        lock (_starting)
        {
            ClosedStore.ThrowIf(_isDisposed);
            return _start is { IsFaulted: false, IsCanceled: false } ? _start : _start = Task.Run(StartWriterAsync);
        }
    }

    private async Task<SqliteWriter> StartWriterAsync()
    {
        CachedConnection connection;
        try
        {
            connection = await LockWait.UseAsync(OpenTables, _options, _stop.Token).ConfigureAwait(false);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(_options));
        }

        return _writer = new SqliteWriter(connection, OpenTables, (writing, isRepeated) => NewStep(writing.Statements, isRepeated), PublishHints, _options);
    }

    /// <summary>Opens a connection that may write, to tables that are as this package needs them.</summary>
    private CachedConnection OpenTables()
    {
        var connection = _connections.Open();
        try
        {
            if (_options.MigrateAtStart)
            {
                SqliteSchema.Migrate(connection, _options);
            }
            else
            {
                SqliteSchema.ThrowIfNotCurrent(connection, _options);
            }

            SqliteFile.ThrowIfNotWritable(connection);
            _connections.Know(connection);
            return new CachedConnection(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void PublishHints(StoreHint hint, SqlStep? step)
    {
        Listeners.Publish(hint);
        foreach (var (finished, next, result) in step?.LostChains ?? [])
        {
            RelationalLog.ChainLost(_logger, finished, next, result);
        }
    }
}
