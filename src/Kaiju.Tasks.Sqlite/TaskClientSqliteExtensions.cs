using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks;

/// <summary>Creates tasks inside transactions of the caller's.</summary>
public static class TaskClientSqliteExtensions
{
    /// <summary>
    /// Creates a task inside a transaction of the caller's on the file of the tasks: rolled back, it has never existed;
    /// committed, it is durable with everything else that the transaction did, and is found within
    /// <see cref="Sqlite.SqliteTasksOptions.ChangePollInterval"/>.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="definition">What to run.</param>
    /// <param name="transaction">The transaction, which the caller commits or rolls back.</param>
    /// <param name="onConflict">What to do on a known id. Default: refuse.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TaskValidationException">
    /// The definition cannot be run or stored; every reason is named.
    /// </exception>
    /// <exception cref="TaskExistsException">The id is known and may not be replaced.</exception>
    /// <exception cref="ArgumentException">
    /// The transaction has ended, or is not on the database of the tasks.
    /// </exception>
    public static Task<CreateAnswer> CreateAsync(
        this ITaskClient client,
        TaskDefinition definition,
        SqliteTransaction transaction,
        OnConflict onConflict = OnConflict.Fail,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.CreateInTransactionAsync(definition, transaction, onConflict, cancellationToken);
    }
}
