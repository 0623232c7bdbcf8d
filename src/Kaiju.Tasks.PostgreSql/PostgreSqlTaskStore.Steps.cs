using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>How steps are carried out: in a transaction of their own, as one statement, or on a thread that may be kept.</content>
internal sealed partial class PostgreSqlTaskStore
{
    /// <summary>One transaction, again after a fault that passes.</summary>
    /// <param name="isInDoubt">It was tried before, and it is not known whether that has happened.</param>
    /// <param name="act">The step.</param>
    /// <param name="waits">What another transaction holds is waited for, over and over; else the fault is the caller's.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    private async ValueTask<T> WriteAsync<T>(bool isInDoubt, Func<SqlStep, ValueTask<T>> act, bool waits, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        var passesOver = false;
        try
        {
            var (answer, step) = await RepeatAsync(
                async () =>
                {
                    var connection = await _sessions.OpenAsync(cancellationToken).ConfigureAwait(false);
                    await using (connection.ConfigureAwait(false))
                    {
                        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                        await using (transaction.ConfigureAwait(false))
                        {
                            var step = NewStep(connection, isInDoubt, cancellationToken, passesOver: passesOver);
                            var answer = await act(step).ConfigureAwait(false);
                            await step.FlushAsync().ConfigureAwait(false);
                            await CommitAsync(transaction, step, () => isInDoubt = true).ConfigureAwait(false);
                            return (answer, step);
                        }
                    }
                },
                // While it is in doubt, the holder may be the try whose answer was lost.
                e => Faults.IsHeld(e) ? (passesOver = waits) || isInDoubt : Faults.IsPassing(e),
                cancellationToken).ConfigureAwait(false);
            PublishHints(step);
            return answer;
        }
        catch (Exception e) when (isInDoubt && Faults.IsPassing(e))
        {
            throw new TaskOutcomeUnknownException($"The connection was lost before the store answered its commit: {e.Message}", e);
        }
    }

    /// <summary>Commits. Without an answer it is in doubt whether that has happened; what the step has to tell others is told all the same.</summary>
    private async Task CommitAsync(NpgsqlTransaction transaction, PostgreSqlStep step, Action doubt)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (!Faults.IsOfRefusedCommit(e))
        {
            doubt();
            PublishHints(step.Hints);
            throw;
        }
    }

    /// <summary>One statement, or several that need not see the same moment, without a transaction around them.</summary>
    private async ValueTask<T> AskAsync<T>(Func<PostgreSqlStep, ValueTask<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await RepeatAsync(
            async () =>
            {
                var connection = await _sessions.OpenAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    return await act(NewStep(connection, false, cancellationToken)).ConfigureAwait(false);
                }
            },
            isPassing,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One statement on this thread and a connection of its own, without awaiting; after a fault that passes, as everything else is asked.</summary>
    private async ValueTask<T> AskOnThreadAsync<T>(
        OwnConnection own, Func<PostgreSqlStep, ValueTask<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return own.Use(connection => act(NewStep(connection, false, cancellationToken, isBlocking: true)).AsTask().GetAwaiter().GetResult());
        }
        catch (Exception e) when (isPassing(e))
        {
            return await AskAsync(act, isPassing, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_place.IsWanted(e))
        {
            throw _place.Located(e);
        }
    }
}
