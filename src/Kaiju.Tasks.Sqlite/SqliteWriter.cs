using System.Collections.Concurrent;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// The one thread of this process that writes. SQLite has one writer at a time, so the writes of a process wait here
/// for their turn and not for the file's lock. All waiting writes are committed together, each with its own outcome.
/// The thread owns the writing connection and replaces it when it is unfit. See docs/decisions/0008.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MostTogether = 200;

    // The machine's clock on purpose: how long a lock is held has nothing to do with the store's time.
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly BlockingCollection<SqliteWrite> _waiting = [];
    private readonly Func<CachedConnection> _open;
    private readonly Func<SqliteStatements, StepTry, SqliteStep> _newStep;
    private readonly Action<StoreHint, SqlStep?> _publish;
    private readonly SqliteTasksOptions _options;
    private readonly string _path;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object _pausing = new();
    private CachedConnection? _connection;
    private LockWait? _lockWait;
    private long _lockedSince;
    private long? _version;

    /// <summary>Begins to write.</summary>
    /// <param name="connection">The first connection; the writer owns it from now on.</param>
    /// <param name="open">The function that opens another connection.</param>
    /// <param name="newStep">The function that creates a step.</param>
    /// <param name="publish">Called with every committed step, and after commits of other connections.</param>
    /// <param name="options">The options: the busy timeout, and the interval of checks for other commits.</param>
    public SqliteWriter(
        CachedConnection connection,
        Func<CachedConnection> open,
        Func<SqliteStatements, StepTry, SqliteStep> newStep,
        Action<StoreHint, SqlStep?> publish,
        SqliteTasksOptions options)
    {
        (_connection, _open, _newStep, _publish, _options) = (connection, open, newStep, publish, options);
        _path = SqliteFile.PathOf(options);
        try
        {
            _version = VersionOfOthers(connection);
        }
        catch (SqliteException)
        {
            // The file is locked at the moment; the first check reports that something may have changed.
        }

        new Thread(Run) { IsBackground = true, Name = "Kaiju.Tasks SQLite writer" }.UnsafeStart();
    }

    /// <summary>Runs a step in its turn.</summary>
    /// <param name="act">The step.</param>
    /// <param name="bytes">The approximate size of its arguments in bytes, if they may be large.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    public Task<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, long bytes, CancellationToken cancellationToken)
    {
        var write = new SqliteWrite<T>(act, bytes, _clock.GetTimestamp(), _path, cancellationToken);
        try
        {
            _waiting.Add(write, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw ClosedStore.Fault();
        }

        // A cancelled caller is answered at once, even while the thread waits for a lock.
        return write.Answer.WaitAsync(cancellationToken);
    }

    /// <summary>Completes when every step that was added before is answered.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.CompleteAdding();
        await _ended.Task.ConfigureAwait(false);
        _waiting.Dispose();
    }

    private void Run()
    {
        var together = new List<SqliteWrite>();
        while (!_waiting.IsCompleted)
        {
            try
            {
                Turn(together);
            }
            catch (Exception e)
            {
                // An exception that left this thread would end the process. Callers that have their answers keep them.
                together.ForEach(write => write.Fail(e));
                Drop();
            }

            together.Clear();
        }

        Drop();
        _ended.SetResult();
    }

    private void Turn(List<SqliteWrite> together)
    {
        if (_waiting.TryTake(out var first, _options.ChangePollInterval))
        {
            together.Add(first);
            TakeMore(together);
            Commit(together);
        }

        LookForOthers();
    }

    private void TakeMore(List<SqliteWrite> together)
    {
        for (var bytes = together.Sum(write => write.Bytes); together.Count < MostTogether && bytes < Pieces.MostBytes
            && _waiting.TryTake(out var next);)
        {
            together.Add(next);
            bytes += next.Bytes;
        }
    }

    /// <summary>
    /// Runs steps in one transaction; repeated while the file is locked, and once more on another connection.
    /// </summary>
    private void Commit(List<SqliteWrite> writes)
    {
        List<SqliteStep>? steps = null;
        for (var tries = StepTry.First; writes.Count > 0 && steps is null;)
        {
            try
            {
                steps = RunAll(writes, tries);
                _lockWait = null;
            }
            catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Lock)
            {
                RollBack();
                WaitForLock(writes, e);
            }
            catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Connection && tries == StepTry.First)
            {
                Drop();
                tries = StepTry.MayHaveHappened;
            }
            catch (Exception e)
            {
                // None of them was committed.
                RollBack(e);
                writes.ForEach(write => write.Fail(e));
                return;
            }
        }

        writes.ForEach(write => write.Complete());
        steps?.ForEach(step => _publish(step.Hints, step));
    }

    private List<SqliteStep> RunAll(List<SqliteWrite> writes, StepTry tries)
    {
        var connection = _connection ??= Reopen();
        connection.Execute("begin immediate");
        var steps = new List<SqliteStep>(writes.Count);
        foreach (var write in writes)
        {
            if (write.Run(connection, NewStep, isAlone: writes.Count == 1) is { } step)
            {
                steps.Add(step);
            }
        }

        connection.Execute("commit");
        return steps;

        SqliteStep NewStep() => _newStep(connection.Statements, tries);
    }

    /// <summary>
    /// Pauses before the next try, and fails the steps whose busy timeout is over. Steps that arrive in the meantime
    /// wait for the same lock: each has the whole busy timeout, and not the rest of another step's.
    /// </summary>
    private void WaitForLock(List<SqliteWrite> writes, SqliteException locked)
    {
        if (_lockWait is null)
        {
            (_lockWait, _lockedSince) = (new LockWait(_options), _clock.GetTimestamp());
        }

        TakeMore(writes);
        var left = _options.BusyTimeout;
        writes.RemoveAll(write =>
        {
            var leftOfThis = _options.BusyTimeout - _clock.GetElapsedTime(Math.Max(write.Since, _lockedSince));
            if (leftOfThis > TimeSpan.Zero && !write.CancellationToken.IsCancellationRequested)
            {
                left = leftOfThis < left ? leftOfThis : left;
                return false;
            }

            write.Fail(LockWait.TimedOut(_options, locked));
            return true;
        });
        if (writes.Count > 0)
        {
            lock (_pausing)
            {
                Monitor.Wait(_pausing, _lockWait.NextPause(left));
            }
        }
    }

    /// <summary>
    /// Rolls a failed transaction back. After a fault of the file, or if the rollback fails, its connection is closed
    /// too.
    /// </summary>
    private void RollBack(Exception? fault = null)
    {
        try
        {
            if (fault is not null && Faults.KindOf(fault) is FaultKind.Connection or FaultKind.File)
            {
                Drop();
            }
            else if (_connection is { } connection && raw.sqlite3_get_autocommit(connection.Connection.Handle) == 0)
            {
                connection.Execute("rollback");
            }
        }
        catch (SqliteException)
        {
            Drop();
        }
    }

    private CachedConnection Reopen()
    {
        // Commits of other connections since the old one was lost are unknown: report a change.
        _version = null;
        return _open();
    }

    private void Drop()
    {
        try
        {
            Interlocked.Exchange(ref _connection, null)?.Dispose();
        }
        catch (SqliteException)
        {
            // The connection is dropped because it is broken; closing it frees as much as possible.
        }
    }

    /// <summary>
    /// Publishes a hint if another connection, perhaps of another process, has committed: then the file's version
    /// changes for this connection.
    /// </summary>
    private void LookForOthers()
    {
        try
        {
            var version = VersionOfOthers(_connection ??= Reopen());
            if (version != _version)
            {
                _version = version;
                _publish(new StoreHint(StoreHintKinds.All), null);
            }
        }
        catch (Exception e) when (e is SqliteException or ArgumentException or TaskSchemaException)
        {
            // The hint is lost; polling finds the change. The next step reports the fault of the file.
            RollBack(e);
        }
    }

    private static long? VersionOfOthers(CachedConnection connection) =>
        (long)connection.Statements.Command("pragma data_version").ExecuteScalar()!;
}
