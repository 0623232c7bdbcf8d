using System.Collections.Concurrent;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// The one thread of this process that writes. SQLite has one writer at a time, so those of a process wait here for
/// their turn and not in the file's lock; and what is waiting when the turn comes is committed together, each step with
/// its own outcome. The thread owns the writing connection and replaces it when it is no longer fit.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MostTogether = 200;

    // Of the machine on purpose: how long a lock is held has nothing to do with the store's time.
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
    /// <param name="connection">The first connection, which is the writer's from now on.</param>
    /// <param name="open">Opens another one.</param>
    /// <param name="newStep">Makes a step.</param>
    /// <param name="publish">Told of every step that is committed, and of commits of others.</param>
    /// <param name="options">How long to wait for locks, and how often to look for commits of others.</param>
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
            // The file is locked just now; the first look says that there may be news.
        }

        new Thread(Run) { IsBackground = true, Name = "Kaiju.Tasks SQLite writer" }.UnsafeStart();
    }

    /// <summary>Carries a step out in its turn.</summary>
    /// <param name="act">The step.</param>
    /// <param name="bytes">About how many bytes it brings, if they may be many.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
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

        // A caller that gives up is answered at once, whatever the thread waits for.
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
                // Nothing ends this thread: what leaves it ends the process. Callers that have their answers keep them.
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
    /// Carries steps out in one transaction, again while the file is locked, and once more on another connection.
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
                // None of them has happened.
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
    /// Pauses before the next try, and answers the steps that have waited for the lock as long as they may. Steps that
    /// come meanwhile wait for the same lock: each has the whole busy timeout, and not what is left of another's.
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
    /// Ends a transaction that failed. After a fault of the file, or where it cannot be rolled back, its connection
    /// goes with it.
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
        // Whatever others have committed since the old one was lost is news.
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
            // It is given up because it is broken; closing it frees what it can.
        }
    }

    /// <summary>
    /// The file's version changes for this connection when another one has committed: perhaps another process.
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
            // A hint that is lost; polling finds what it was about. Steps say what is wrong with the file.
            RollBack(e);
        }
    }

    private static long? VersionOfOthers(CachedConnection connection) =>
        (long)connection.Statements.Command("pragma data_version").ExecuteScalar()!;
}
