using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>A step that waits for its turn to write, until its caller is answered.</summary>
/// <param name="bytes">The approximate size of its arguments in bytes, if they may be large.</param>
/// <param name="since">The start of the wait, as a timestamp of the machine.</param>
/// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
internal abstract class SqliteWrite(long bytes, long since, CancellationToken cancellationToken)
{
    public long Bytes => bytes;

    public long Since => since;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>
    /// Runs the step; a failure is answered to its caller alone. It may run more than once, each time in a new
    /// transaction.
    /// </summary>
    /// <param name="connection">The writing connection, in a transaction.</param>
    /// <param name="newStep">The function that creates a step.</param>
    /// <param name="isAlone">
    /// True if the step is the only one in the transaction: it needs no savepoint, and a failure is thrown.
    /// </param>
    public abstract SqliteStep? Run(CachedConnection connection, Func<SqliteStep> newStep, bool isAlone);

    /// <summary>Answers the caller once the transaction is committed.</summary>
    public abstract void Complete();

    /// <summary>Answers the caller after a rollback.</summary>
    public abstract void Fail(Exception e);
}

/// <inheritdoc cref="SqliteWrite"/>
/// <param name="act">The step.</param>
/// <param name="bytes">The approximate size of its arguments in bytes, if they may be large.</param>
/// <param name="since">The start of the wait, as a timestamp of the machine.</param>
/// <param name="path">The path of the file, for error messages.</param>
/// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
internal sealed class SqliteWrite<T>(
    Func<SqlStep, ValueTask<T>> act, long bytes, long since, string path, CancellationToken cancellationToken)
    : SqliteWrite(bytes, since, cancellationToken)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _fault;

    public Task<T> Answer => _answer.Task;

    public override SqliteStep? Run(CachedConnection connection, Func<SqliteStep> newStep, bool isAlone)
    {
        _fault = null;
        if (CancellationToken.IsCancellationRequested)
        {
            _fault = new OperationCanceledException(CancellationToken);
            return null;
        }

        if (isAlone)
        {
            return Run(newStep());
        }

        connection.Execute("savepoint step");
        try
        {
            var step = Run(newStep());
            connection.Execute("release step");
            return step;
        }
        catch (Exception e) when (Faults.KindOf(e) is null or FaultKind.Data or FaultKind.Permanent)
        {
            connection.Execute("rollback to step");
            connection.Execute("release step");
            _fault = e;
            return null;
        }
    }

    public override void Complete()
    {
        if (_fault is not null)
        {
            Fail(_fault);
        }
        else
        {
            _answer.TrySetResult(_result!);
        }
    }

    public override void Fail(Exception e)
    {
        if (CancellationToken.IsCancellationRequested)
        {
            _answer.TrySetCanceled(CancellationToken);
        }
        else
        {
            _answer.TrySetException(SqliteFile.Located(_fault ?? e, path));
        }
    }

    private SqliteStep Run(SqliteStep step)
    {
        // A step never awaits pending work, so its task is complete when the call returns.
        _result = act(step).AsTask().GetAwaiter().GetResult();
        step.FlushAsync().AsTask().GetAwaiter().GetResult();
        return step;
    }
}
