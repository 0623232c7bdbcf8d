using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>A step that waits for its turn to write, until its caller is answered.</summary>
/// <param name="bytes">About how many bytes it brings, if they may be many.</param>
/// <param name="since">When it began to wait, as a timestamp of the machine.</param>
/// <param name="cancellationToken">The caller's, who no longer waits once it is cancelled.</param>
internal abstract class SqliteWrite(long bytes, long since, CancellationToken cancellationToken)
{
    public long Bytes => bytes;

    public long Since => since;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>
    /// Runs the step; its failure is its own. It may be run more than once, each time in a new transaction.
    /// </summary>
    /// <param name="connection">The writing connection, in a transaction.</param>
    /// <param name="newStep">Makes a step.</param>
    /// <param name="isAlone">
    /// Nothing else is in the transaction, so that it need not be kept from what fails; what fails is thrown.
    /// </param>
    public abstract SqliteStep? Run(CachedConnection connection, Func<SqliteStep> newStep, bool isAlone);

    /// <summary>Answers the caller once the transaction is committed.</summary>
    public abstract void Complete();

    /// <summary>Answers the caller when nothing of the transaction has happened.</summary>
    public abstract void Fail(Exception e);
}

/// <inheritdoc cref="SqliteWrite"/>
/// <param name="act">The step.</param>
/// <param name="bytes">About how many bytes it brings, if they may be many.</param>
/// <param name="since">When it began to wait, as a timestamp of the machine.</param>
/// <param name="path">The path of the file, for the messages of faults.</param>
/// <param name="cancellationToken">The caller's, who no longer waits once it is cancelled.</param>
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
        // Nothing in a step waits, so what it returns has ended.
        _result = act(step).AsTask().GetAwaiter().GetResult();
        step.FlushAsync().AsTask().GetAwaiter().GetResult();
        return step;
    }
}
