using System.Data.Common;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What a store offers whose tasks stand in a database of the caller's: a task and what it is about are created
/// together or not at all.
/// </summary>
public interface ITransactionalCreation
{
    /// <summary>
    /// Like <see cref="ITaskSteering.CreateAsync"/>, on the connection and in the transaction of the caller, who
    /// commits it or rolls it back.
    /// </summary>
    /// <param name="tasks">Definitions that <see cref="TaskDefinitionChecker.Prepare"/> has made complete.</param>
    /// <param name="onConflict">What to do on a known id.</param>
    /// <param name="transaction">The transaction, on the database of this store.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>An answer for each, in order, true once the transaction is committed.</returns>
    /// <exception cref="ArgumentException">The transaction is of another kind of database, or has ended.</exception>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        OnConflict onConflict,
        DbTransaction transaction,
        CallContext context,
        CancellationToken cancellationToken);
}
