using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The reaction of a step to a row that another transaction holds.</summary>
internal enum OnHeld
{
    /// <summary>Retry for a while, and skip held rows that the step need not wait for.</summary>
    Wait,

    /// <summary>Throw to the caller.</summary>
    Throw,
}

/// <summary>
/// One request to the server. <see cref="PostgreSqlRetries"/> repeats it until there is an answer or a permanent fault.
/// See docs/decisions/0014.
/// </summary>
internal abstract class Attempt<T>
{
    public abstract Task<T> TryAsync();

    /// <summary>True for a fault that a retry may overcome, if a retry does no harm.</summary>
    public abstract bool IsPassing(Exception fault);

    /// <summary>Records a fault before the next try.</summary>
    public virtual void PrepareNext(Exception fault)
    {
    }
}

/// <summary>One statement, or several that need no common snapshot, outside a transaction.</summary>
internal class StatementAttempt<T>(
    PostgreSqlSession session,
    Func<PostgreSqlStep, ValueTask<T>> act,
    Func<Exception, bool> isPassing,
    CancellationToken cancellationToken)
    : Attempt<T>
{
    public override async Task<T> TryAsync()
    {
        var connection = await session.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            return await act(session.NewStep(connection, StepTry.First, cancellationToken)).ConfigureAwait(false);
        }
    }

    /// <summary>Runs synchronously on the calling thread, which may be blocked.</summary>
    public T Try(NpgsqlConnection connection) =>
        act(session.NewStep(connection, StepTry.First, cancellationToken, isBlocking: true)).AsTask().GetAwaiter()
            .GetResult();

    public override bool IsPassing(Exception fault) => isPassing(fault);
}

/// <summary>A query on a dedicated connection. It is retried only for held rows.</summary>
internal sealed class DedicatedAttempt<T>(
    PostgreSqlSession session,
    DedicatedConnection dedicated,
    Func<PostgreSqlStep, ValueTask<T>> act,
    CancellationToken cancellationToken)
    : Attempt<T>
{
    public override Task<T> TryAsync() => dedicated.UseAsync(
        connection => act(session.NewStep(connection, StepTry.First, cancellationToken)), cancellationToken).AsTask();

    public override bool IsPassing(Exception fault) => Faults.IsHeld(fault);
}

/// <summary>One transaction.</summary>
internal sealed class TransactionAttempt<T>(
    PostgreSqlSession session,
    Func<SqlStep, ValueTask<T>> act,
    StepTry tries,
    OnHeld onHeld,
    CancellationToken cancellationToken)
    : Attempt<(T Answer, SqlStep Step)>
{
    private StepTry _tries = tries;

    /// <summary>True if the last try may have been committed.</summary>
    public bool IsInDoubt => _tries.HasFlag(StepTry.MayHaveHappened);

    public override async Task<(T Answer, SqlStep Step)> TryAsync()
    {
        var connection = await session.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                var step = session.NewStep(connection, _tries, cancellationToken);
                var answer = await act(step).ConfigureAwait(false);
                await step.FlushAsync().ConfigureAwait(false);
                await CommitAsync(transaction, step).ConfigureAwait(false);
                return (answer, step);
            }
        }
    }

    // While the outcome is in doubt, the holder may be the try whose answer was lost.
    public override bool IsPassing(Exception fault) =>
        Faults.IsHeld(fault) ? onHeld == OnHeld.Wait || IsInDoubt : Faults.IsPassing(fault);

    public override void PrepareNext(Exception fault)
    {
        if (onHeld == OnHeld.Wait && Faults.IsHeld(fault))
        {
            _tries |= StepTry.PassesOverHeld;
        }
    }

    /// <summary>
    /// Commits. Without an answer the outcome is in doubt; the step's hints are published all the same.
    /// </summary>
    private async Task CommitAsync(NpgsqlTransaction transaction, PostgreSqlStep step)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (!Faults.IsOfRefusedCommit(e))
        {
            _tries |= StepTry.MayHaveHappened;
            session.PublishChanges(step);
            throw;
        }
    }
}
