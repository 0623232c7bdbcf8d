using System.Data.Common;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Creates tasks in a transaction of the caller's. A savepoint ensures that a failed creation leaves nothing behind.
/// </summary>
internal sealed class CallersTransaction(
    SqliteSession session, StoreParts parts, SqliteTasksOptions options) : ITransactionalCreation
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
        if (transaction is not SqliteTransaction { Connection: { } connection } own)
        {
            throw new ArgumentException(
                $"The transaction is {transaction?.GetType().Name ?? "null"}, or has ended; it must be a "
                + $"{nameof(SqliteTransaction)} on the tasks' file.",
                nameof(transaction));
        }

        cancellationToken.ThrowIfCancellationRequested();
        using var statements = new SqliteStatements(connection, own);
        try
        {
            // If the transaction has not written yet, it acquires the file's lock here.
            return await LockWait.UseAsync(
                () => Create(statements, new CreationStep(parts, tasks, onConflict, context, parts.Ids.NewId())),
                options,
                cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (IsOfAnotherFile(e, connection))
        {
            throw new ArgumentException(
                $"The transaction is on the SQLite file \"{SqliteFile.PathOf(connection)}\", which has no table "
                + $"{options.TablePrefix}tasks; the tasks are in \"{SqliteFile.PathOf(options)}\". "
                + "Begin it on a connection to that file.",
                nameof(transaction),
                e);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Located(e, SqliteFile.PathOf(connection));
        }
    }

    private IReadOnlyList<CreateAnswer> Create(SqliteStatements statements, CreationStep creation)
    {
        statements.Command($"savepoint {Savepoint}").ExecuteNonQuery();
        try
        {
            // A step never awaits pending work, so its task is complete when the call returns.
            var step = session.NewStep(statements, StepTry.First);
            var answers = creation.RunAsync(step).AsTask().GetAwaiter().GetResult();
            step.FlushAsync().AsTask().GetAwaiter().GetResult();
            statements.Command($"release {Savepoint}").ExecuteNonQuery();
            return answers;
        }
        catch
        {
            RollBack(statements);
            throw;
        }
    }

    private static void RollBack(SqliteStatements statements)
    {
        try
        {
            statements.Command($"rollback to {Savepoint}").ExecuteNonQuery();
            statements.Command($"release {Savepoint}").ExecuteNonQuery();
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            // SQLite rolled back the whole transaction; the thrown exception gives the reason.
        }
    }

    /// <summary>True if the caller's transaction is on a file without the tables.</summary>
    private bool IsOfAnotherFile(SqliteException e, SqliteConnection connection)
    {
        if (e.SqliteErrorCode != raw.SQLITE_ERROR)
        {
            return false;
        }

        using var table = connection.CreateCommand();
        table.CommandText = $"select count(*) from pragma_table_list where name = '{options.TablePrefix}tasks'";
        return table.ExecuteScalar() is 0L;
    }
}
