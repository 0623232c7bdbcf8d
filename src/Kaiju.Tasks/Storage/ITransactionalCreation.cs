using System.Data.Common;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// Creates tasks in a transaction of the caller's, for a store in the caller's database. The task and the caller's data
/// are committed together or not at all.
/// </summary>
public interface ITransactionalCreation
{
    /// <summary>
    /// Like <see cref="ITaskSteering.CreateAsync"/>, on the connection and in the transaction of the caller. The caller
    /// commits it or rolls it back.
    /// </summary>
    /// <param name="tasks">
    /// Definitions with all defaults filled in by <see cref="TaskDefinitionChecker.Prepare"/>.
    /// </param>
    /// <param name="onConflict">The action for an id that is already known, and the version.</param>
    /// <param name="transaction">The transaction, on the database of this store.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>An answer for each task, in order; valid once the transaction is committed.</returns>
    /// <exception cref="ArgumentException">The transaction is of another kind of database, or has ended.</exception>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        DbTransaction transaction,
        CallContext context,
        CancellationToken cancellationToken);
}
