using System.Collections.Concurrent;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// The one thread of this process that writes. SQLite has one writer at a time, so those of a process wait here for their turn and not
/// in the file's lock; and what is waiting when the turn comes is committed together, each step with its own outcome.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MostTogether = 200;
    private const int Busy = 5;
    private const int Tries = 3;

    // Faults of the file itself, after which nothing of the transaction can be trusted.
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;

    private readonly BlockingCollection<IWrite> _waiting = [];
    private readonly CachedConnection _connection;
    private readonly Func<CachedConnection, SqliteStep> _newStep;
    private readonly Action<StoreHint, SqlStep?> _tell;
    private readonly TimeSpan _poll;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopping = new();
    private long _version;

    public SqliteWriter(CachedConnection connection, Func<CachedConnection, SqliteStep> newStep, Action<StoreHint, SqlStep?> tell, TimeSpan poll)
    {
        (_connection, _newStep, _tell, _poll) = (connection, newStep, tell, poll);
        _version = VersionOfOthers();
        _thread = new Thread(Run) { IsBackground = true, Name = "Kaiju.Tasks SQLite writer" };
        _thread.Start();
    }

    private interface IWrite
    {
        /// <summary>Does the step; its failure is its own.</summary>
        /// <param name="connection">The writing connection, in a transaction.</param>
        /// <param name="newStep">Makes a step.</param>
        /// <param name="isAlone">Nothing else is in the transaction, so that it need not be kept from what fails; what fails is thrown.</param>
        SqliteStep? Do(CachedConnection connection, Func<CachedConnection, SqliteStep> newStep, bool isAlone);

        void Complete();

        void Fail(Exception e);
    }

    public Task<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        var write = new Write<T>(act, cancellationToken);
        _waiting.Add(write, cancellationToken);
        return write.Answer;
    }

    public void Dispose()
    {
        _waiting.CompleteAdding();
        _stopping.Set();
        _thread.Join();
        _waiting.Dispose();
        _stopping.Dispose();
        _connection.Dispose();
    }

    private void Run()
    {
        var together = new List<IWrite>();
        while (!_waiting.IsCompleted)
        {
            if (_waiting.TryTake(out var first, _poll))
            {
                together.Add(first);
                while (together.Count < MostTogether && _waiting.TryTake(out var next))
                {
                    together.Add(next);
                }

                Commit(together);
                together.Clear();
            }

            LookForOthers();
        }
    }

    private void Commit(List<IWrite> writes)
    {
        var steps = new List<SqliteStep?>(writes.Count);
        try
        {
            Begin();
            steps.AddRange(writes.Select(write => write.Do(_connection, _newStep, writes.Count == 1)));
            _connection.Execute("commit");
        }
        catch (Exception e)
        {
            // None of them has happened.
            RollBack();
            writes.ForEach(write => write.Fail(e));
            return;
        }

        writes.ForEach(write => write.Complete());
        foreach (var step in steps.OfType<SqliteStep>())
        {
            _tell(step.Hints, step);
        }
    }

    private void Begin()
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                _connection.Execute("begin immediate");
                return;
            }
            catch (SqliteException e) when (e.SqliteErrorCode == Busy && tries < Tries)
            {
                // Another process has held the lock for the whole busy timeout. Not all that wait for it at once again.
                _stopping.Wait(TimeSpan.FromMilliseconds(((Environment.ProcessId * 7919L) + (tries * 104_729)) % 50));
            }
        }
    }

    private void RollBack()
    {
        try
        {
            _connection.Execute("rollback");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself, or there was nothing to roll back.
        }
    }

    /// <summary>The file's version changes for this connection when another one has committed: perhaps another process.</summary>
    private void LookForOthers()
    {
        try
        {
            var version = VersionOfOthers();
            if (version != _version)
            {
                _version = version;
                _tell(new StoreHint(StoreHintKinds.All), null);
            }
        }
        catch (SqliteException)
        {
            // A hint that is lost; polling finds what it was about.
        }
    }

    private long VersionOfOthers() => (long)_connection.Statements.Command("pragma data_version").ExecuteScalar()!;

    private sealed class Write<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) : IWrite
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _fault;

        public Task<T> Answer => _answer.Task;

        public SqliteStep? Do(CachedConnection connection, Func<CachedConnection, SqliteStep> newStep, bool isAlone)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _fault = new OperationCanceledException(cancellationToken);
                return null;
            }

            if (isAlone)
            {
                return Do(newStep(connection));
            }

            connection.Execute("savepoint step");
            try
            {
                var step = Do(newStep(connection));
                connection.Execute("release step");
                return step;
            }
            catch (Exception e) when (e is not SqliteException { SqliteErrorCode: Corrupt or Full or IoError })
            {
                connection.Execute("rollback to step");
                connection.Execute("release step");
                _fault = e;
                return null;
            }
        }

        private SqliteStep Do(SqliteStep step)
        {
            // Nothing in a step waits, so what it returns has ended.
            _result = act(step).AsTask().GetAwaiter().GetResult();
            step.FlushAsync().AsTask().GetAwaiter().GetResult();
            return step;
        }

        public void Complete()
        {
            if (_fault is OperationCanceledException { CancellationToken.IsCancellationRequested: true } cancelled)
            {
                _answer.TrySetCanceled(cancelled.CancellationToken);
            }
            else if (_fault is not null)
            {
                _answer.TrySetException(_fault);
            }
            else
            {
                _answer.TrySetResult(_result!);
            }
        }

        public void Fail(Exception e)
        {
            _answer.TrySetException(_fault ?? e);
        }
    }
}
