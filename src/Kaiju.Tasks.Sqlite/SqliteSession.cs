using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Runs steps on the file: writes on the one writer thread of the process, reads on the caller's thread. The first step
/// opens the file and its tables.
/// </summary>
internal sealed class SqliteSession(
    SqliteTasksOptions options, TimeProvider clock, StoreParts parts) : SqlSession, IAsyncDisposable
{
    private readonly SqliteConnections _connections = new(options);
    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _stop = new();
    private Task<SqliteWriter>? _start;
    private volatile SqliteWriter? _writer;
    private bool _isDisposed;

    public override string ExceptClause => " and s.task_no not in (select value from json_each(@except))";

    public override bool IsOfRow(Exception e) => Faults.KindOf(e) == FaultKind.Data || base.IsOfRow(e);

    /// <summary>
    /// Opens the file and its tables. Concurrent calls share the outcome; after a failure the next step tries again.
    /// </summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        _writer is not null ? Task.CompletedTask : BeginStart().WaitAsync(cancellationToken);

    public override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        WriteLargeAsync(act, 0, cancellationToken);

    public override ValueTask<T> WriteLargeAsync<T>(
        Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _writer is { } writer
            ? new ValueTask<T>(writer.WriteAsync(act, bytes, cancellationToken))
            : StartAndWriteAsync(act, bytes, cancellationToken);
    }

    /// <summary>
    /// Reads on the caller's thread, since a reader does not wait for writers. If the file is locked all the same, the
    /// wait does not block the thread.
    /// </summary>
    public override async ValueTask<T> ReadAsync<T>(
        Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await StartAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A step never awaits pending work, so its task is complete when the call returns.
            return await LockWait.UseAsync(
                () => _connections.Read(
                    reader => act(NewStep(reader.Statements, StepTry.First)).AsTask().GetAwaiter().GetResult()),
                options,
                cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(options));
        }
    }

    public SqliteStep NewStep(SqliteStatements statements, StepTry tries) =>
        new(statements, clock.GetUtcNow(), parts, tries);

    public async ValueTask DisposeAsync()
    {
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

    private async ValueTask<T> StartAndWriteAsync<T>(
        Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken)
    {
        var writer = await BeginStart().WaitAsync(cancellationToken).ConfigureAwait(false);
        return await writer.WriteAsync(act, bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The current or completed start, or a new one. It does not run on the caller's thread, which may be the only one
    /// of its context.
    /// </summary>
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
        try
        {
            var connection = await LockWait.UseAsync(OpenTables, options, _stop.Token).ConfigureAwait(false);
            return _writer = new SqliteWriter(connection, OpenTables, NewStep, PublishHints, options);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(options));
        }
    }

    /// <summary>Opens a connection that may write, and migrates or checks its tables.</summary>
    private CachedConnection OpenTables()
    {
        var connection = _connections.Open();
        try
        {
            if (options.MigrateAtStart)
            {
                SqliteSchema.Migrate(connection, options);
            }
            else
            {
                SqliteSchema.ThrowIfNotCurrent(connection, options);
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

    /// <summary>Publishes the hint of a commit, and logs the next tasks that its step could not start.</summary>
    private void PublishHints(StoreHint hint, SqlStep? step)
    {
        parts.Listeners.Publish(hint);
        foreach (var (finished, next, result) in step?.LostChains ?? [])
        {
            RelationalLog.ChainLost(parts.Logger, finished, next, result);
        }
    }
}
