using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Sqlite;

/// <summary>Tasks in a SQLite file: one writer for the process, readers beside it, and the machine's clock, which all processes on the file share.</summary>
internal sealed partial class SqliteTaskStore : RelationalTaskStore, IDisposable
{
    private readonly SqliteTasksOptions _options;
    private readonly TimeProvider _clock;
    private readonly LifecycleFunction _next;
    private readonly SqlTexts _sql;
    private readonly SqliteConnections _readers;
    private readonly Batches<StageReport, ReportAnswer> _reports;
    private readonly ILogger _logger;
    private readonly Lock _starting = new();
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
        : base(rules, ids)
    {
        SqliteSchema.ThrowIfInvalid(options);
        (_options, _clock, _logger, _next) = (options, clock, logger, next ?? TaskLifecycle.Next);
        _sql = SqlTexts.Load(typeof(SqliteTaskStore).Assembly, SqliteSchema.Words(options), changeSql);
        _reports = new Batches<StageReport, ReportAnswer>(RecordBatchAsync);
        _readers = new SqliteConnections(options);
    }

    /// <summary>Its statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _sql;

    /// <summary>Opens the file and its tables. What fails is tried again by the next step.</summary>
    public void Start() => Writer();

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, DbTransaction transaction, CancellationToken cancellationToken)
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
            // What fails leaves nothing half done in the caller's transaction.
            statements.Command("savepoint kaiju_create").ExecuteNonQuery();
            var step = NewStep(statements);
            var answers = await CreateAllAsync(step, tasks, onConflict, Ids.NewId()).ConfigureAwait(false);
            await step.FlushAsync().ConfigureAwait(false);
            statements.Command("release kaiju_create").ExecuteNonQuery();
            return answers;
        }
        catch (SqliteException)
        {
            statements.Command("rollback to kaiju_create").ExecuteNonQuery();
            throw;
        }
    }

    public void Dispose()
    {
        // Not under the lock: what is under way may have to start the writer.
        _reports.DisposeAsync().AsTask().GetAwaiter().GetResult();
        lock (_starting)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _writer?.Dispose();
                _readers.Dispose();
            }
        }
    }

    protected override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, bool isRepeatable, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<T>(Writer().WriteAsync(act, cancellationToken));
    }

    protected override ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Writer();
        var reader = _readers.Take();
        try
        {
            var answer = act(NewStep(reader.Statements)).AsTask().GetAwaiter().GetResult();
            _readers.Return(reader);
            return ValueTask.FromResult(answer);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private SqliteStep NewStep(SqliteStatements statements) => new(statements, _clock.GetUtcNow(), _sql, Rules, _next, NewJobId);

    private SqliteWriter Writer()
    {
        if (_writer is { } running)
        {
            return running;
        }

        lock (_starting)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _writer ??= StartWriter();
        }
    }

    private SqliteWriter StartWriter()
    {
        var connection = new CachedConnection(SqliteConnections.Open(_options));
        try
        {
            if (_options.MigrateAtStart)
            {
                SqliteSchema.Migrate(connection.Connection, _options);
            }
            else
            {
                SqliteSchema.ThrowIfNotCurrent(connection.Connection, _options);
            }

            return new SqliteWriter(connection, writing => NewStep(writing.Statements), Tell, _options.ChangePollInterval);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Tell(StoreHint hint, SqlStep? step)
    {
        Listeners.Tell(hint);
        foreach (var (finished, next, result) in step?.LostChains ?? [])
        {
            RelationalLog.ChainLost(_logger, finished, next, result);
        }
    }
}
