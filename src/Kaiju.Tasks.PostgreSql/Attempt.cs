using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>What a step does when another transaction holds a row that it needs.</summary>
internal enum OnHeld
{
    /// <summary>It is tried again for a while, and passes over what it need not wait for.</summary>
    Wait,

    /// <summary>Its caller gets the fault.</summary>
    Throw,
}

/// <summary>
/// One way to ask the server, which <see cref="PostgreSqlRetries"/> tries until there is an answer or a fault that
/// lasts.
/// </summary>
internal abstract class Attempt<T>
{
    public abstract Task<T> TryAsync();

    /// <summary>True for a fault that may be gone at the next try, if that does no harm.</summary>
    public abstract bool IsPassing(Exception fault);

    /// <summary>Takes note of a fault before the next try.</summary>
    public virtual void PrepareNext(Exception fault)
    {
    }
}

/// <summary>One statement, or several that need not see the same moment, without a transaction around them.</summary>
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

    /// <summary>On a connection and a thread that may be kept.</summary>
    public T Try(NpgsqlConnection connection) =>
        act(session.NewStep(connection, StepTry.First, cancellationToken, isBlocking: true)).AsTask().GetAwaiter()
            .GetResult();

    public override bool IsPassing(Exception fault) => isPassing(fault);
}

/// <summary>One question on a connection that is kept. Only a held row is waited for.</summary>
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

    /// <summary>It is not known whether the last try has happened.</summary>
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

    // While it is in doubt, the holder may be the try whose answer was lost.
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
    /// Commits. Without an answer it is in doubt whether that has happened; what the step has to tell others is told
    /// all the same.
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
            session.PublishHints(step.Hints);
            throw;
        }
    }
}
