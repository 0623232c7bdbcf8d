using System.Data.Common;

namespace Kaiju.Tasks.Storage;

/// <summary>A store that can create tasks inside a transaction of the caller's, so that a task and what it is about come into being together or not at all.</summary>
public interface ITransactionalTaskStore : ITaskStore
{
    /// <summary>Like <see cref="ITaskStore.CreateAsync"/>, on the connection and in the transaction of the caller, who commits or rolls back.</summary>
    /// <param name="tasks">Definitions that <see cref="TaskDefinitionChecker.Prepare"/> has made complete.</param>
    /// <param name="onConflict">What to do on a known id.</param>
    /// <param name="transaction">The transaction, on the database of this store.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>An answer for each, in order, true once the transaction is committed.</returns>
    /// <exception cref="ArgumentException">The transaction is of another kind of database, or has ended.</exception>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, DbTransaction transaction, CancellationToken cancellationToken);
}
