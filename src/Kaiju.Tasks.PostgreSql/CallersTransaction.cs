using System.Data.Common;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Creates tasks in a transaction of the caller's. A savepoint ensures that a failed creation leaves nothing behind.
/// </summary>
/// <param name="parts">
/// The store's parts, with statements that do not limit lock waits: the caller decides how long a transaction waits.
/// </param>
/// <param name="options">The options.</param>
/// <param name="place">The place of the tasks, for messages.</param>
/// <param name="testTime">The time, for tests.</param>
internal sealed class CallersTransaction(
    Lazy<StoreParts> parts, PostgreSqlTasksOptions options, Place place, Func<DateTimeOffset>? testTime)
    : ITransactionalCreation
{
    private const string Savepoint = "kaiju_create";

    public async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        DbTransaction transaction,
        CallContext context,
        CancellationToken cancellationToken)
    {
        TaskCreation.ThrowIfNotPrepared(tasks);
        if (transaction is not NpgsqlTransaction { Connection: { } connection } own)
        {
            throw new ArgumentException(
                $"The transaction is {transaction?.GetType().Name ?? "null"}, or has ended; it must be an "
                + $"{nameof(NpgsqlTransaction)} on the tasks' database.",
                nameof(transaction));
        }

        try
        {
            await own.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException(
                "The transaction has ended; create tasks before its commit.", nameof(transaction), e);
        }

        var there = new Place(connection.ConnectionString, options.Schema);
        try
        {
            var step = new PostgreSqlStep(connection, testTime, parts.Value, StepTry.First, cancellationToken);
            var creation = new CreationStep(parts.Value, tasks, onConflict, context, parts.Value.Ids.NewId());
            var answers = await creation.RunAsync(step).ConfigureAwait(false);
            await step.FlushAsync().ConfigureAwait(false);
            await NotifyAsync(connection, step.Hints, cancellationToken).ConfigureAwait(false);
            await own.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            return answers;
        }
        catch (Exception e)
        {
            await RollBackAsync(own).ConfigureAwait(false);
            if (IsOfAnotherDatabase(e))
            {
                throw new ArgumentException(
                    $"The transaction is on another database: there are no tables of tasks in {there}. The tasks are "
                    + $"in {place}. Begin it on a connection to that database.",
                    nameof(transaction),
                    e);
            }

            if (there.IsWanted(e))
            {
                throw there.Located(e);
            }

            throw;
        }
    }

    /// <summary>True if the caller's transaction is on a database without the tables.</summary>
    private static bool IsOfAnotherDatabase(Exception e) => e is PostgresException server
        && server.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName;

    /// <summary>
    /// Notifies in the caller's transaction, since the store does not learn of its commit. This process gets the hint
    /// from the server like every other.
    /// </summary>
    private async Task NotifyAsync(NpgsqlConnection connection, StoreHint hint, CancellationToken cancellationToken)
    {
        if (options.PollingOnly || hint.Kinds == StoreHintKinds.None)
        {
            return;
        }

        using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection);
        notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = options.Schema });
        notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = HintPayload.Write(hint, sender: "") });
        await notify.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Rolls back to the savepoint. If the connection is lost, the server rolls back the whole transaction.
    /// </summary>
    private static async Task RollBackAsync(NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.RollbackAsync(Savepoint, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsOfConnection(e))
        {
            // The caller gets the first exception.
        }
    }
}
