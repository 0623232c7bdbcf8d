using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Runs steps on the server: in a transaction, as one statement, on a dedicated connection, or on a dedicated thread.
/// All of them are repeated by <see cref="PostgreSqlRetries"/> alone.
/// </summary>
internal sealed class PostgreSqlSession(
    PostgreSqlConnections connections,
    PostgreSqlStart start,
    PostgreSqlRetries retries,
    StoreParts parts,
    Place place,
    Func<DateTimeOffset>? testTime)
    : SqlSession
{
    public override string ExceptClause => " and s.task_no <> all(@except)";

    public override bool IsOfRow(Exception e) => Faults.IsOfData(e) || (base.IsOfRow(e) && !Faults.IsOfConnection(e));

    public override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        WriteAsync(act, StepTry.First, OnHeld.Wait, cancellationToken);

    public override ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        AskAsync(act, Faults.IsPassing, cancellationToken);

    // Without a transaction: a process that is paused between a statement and its commit would hold the row.
    public override ValueTask<int> ExecuteAsync(
        string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        AskAsync(step => step.ExecuteAsync(statement, arguments), Faults.IsPassing, cancellationToken);

    /// <summary>Runs a step in one transaction, and retries it after a transient fault.</summary>
    /// <param name="act">The step.</param>
    /// <param name="tries">The flags of earlier tries.</param>
    /// <param name="onHeld">The reaction to a row that another transaction holds.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    public async ValueTask<T> WriteAsync<T>(
        Func<SqlStep, ValueTask<T>> act, StepTry tries, OnHeld onHeld, CancellationToken cancellationToken)
    {
        await start.EnsureAsync(cancellationToken).ConfigureAwait(false);
        var attempt = new TransactionAttempt<T>(this, act, tries, onHeld, cancellationToken);
        try
        {
            var (answer, step) = await retries.RepeatAsync(attempt, cancellationToken).ConfigureAwait(false);
            PublishHints(step);
            return answer;
        }
        catch (Exception e) when (attempt.IsInDoubt && Faults.IsPassing(e))
        {
            throw new TaskOutcomeUnknownException(
                $"The connection was lost before the store answered its commit: {e.Message}", e);
        }
    }

    /// <summary>Runs a query without a transaction.</summary>
    public async ValueTask<T> AskAsync<T>(
        Func<PostgreSqlStep, ValueTask<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        await start.EnsureAsync(cancellationToken).ConfigureAwait(false);
        var attempt = new StatementAttempt<T>(this, act, isPassing, cancellationToken);
        return await retries.RepeatAsync(attempt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a query on a connection that never waits for the pool.</summary>
    public async ValueTask<T> AskDedicatedAsync<T>(
        DedicatedConnection dedicated, Func<PostgreSqlStep, ValueTask<T>> act, CancellationToken cancellationToken)
    {
        await start.EnsureAsync(cancellationToken).ConfigureAwait(false);
        var attempt = new DedicatedAttempt<T>(this, dedicated, act, cancellationToken);
        return await retries.RepeatAsync(attempt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs a query synchronously on this thread. After a transient fault it is repeated asynchronously.
    /// </summary>
    public async ValueTask<T> AskOnThreadAsync<T>(
        DedicatedConnection dedicated, StatementAttempt<T> attempt, CancellationToken cancellationToken)
    {
        await start.EnsureAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return dedicated.Use(attempt.Try);
        }
        catch (Exception e) when (attempt.IsPassing(e))
        {
            attempt.PrepareNext(e);
            return await retries.RepeatAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (place.IsWanted(e))
        {
            throw place.Located(e);
        }
    }

    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        connections.OpenAsync(cancellationToken);

    public PostgreSqlStep NewStep(
        NpgsqlConnection connection, StepTry tries, CancellationToken cancellationToken, bool isBlocking = false) =>
        new(connection, testTime, parts, tries, cancellationToken) { IsBlocking = isBlocking };

    /// <summary>
    /// The payload that the statement that creates tasks sends to other processes in its own commit. Empty if a hint
    /// was sent just now, or if hosts only poll.
    /// </summary>
    public string TakeHintTurn(IEnumerable<TaskRow> created)
    {
        if (start.Channel is not { } channel || !channel.TryTakeTurn())
        {
            return "";
        }

        var hint = default(StoreHint);
        foreach (var row in created)
        {
            hint = hint.With(row.HintsOfNew, row.Definition.AppName, row.Id);
        }

        return channel.TextOf(hint);
    }

    /// <summary>
    /// Publishes the hints of a committed step, and logs the next tasks that it could not start.
    /// </summary>
    public void PublishHints(SqlStep step)
    {
        PublishChanges(step);
        foreach (var (finished, next, result) in step.LostChains)
        {
            RelationalLog.ChainLost(parts.Logger, finished, next, result);
        }
    }

    /// <summary>Publishes a step's hints, and forgets what claims have seen of routes that it has changed.</summary>
    public void PublishChanges(SqlStep step)
    {
        if (step.ChangesRoutes)
        {
            parts.Routes.Forget();
        }

        PublishHints(step.Hints);
    }

    /// <summary>Publishes a hint to this process's listeners and to other processes.</summary>
    public void PublishHints(StoreHint hint)
    {
        PublishLocally(hint);
        if (hint.Kinds != StoreHintKinds.None)
        {
            start.Channel?.Send(hint);
        }
    }

    /// <summary>Publishes a hint to this process's listeners; other processes get it from the statement.</summary>
    public void PublishLocally(StoreHint hint)
    {
        if (hint.Kinds != StoreHintKinds.None)
        {
            parts.Listeners.Publish(hint);
        }
    }
}
