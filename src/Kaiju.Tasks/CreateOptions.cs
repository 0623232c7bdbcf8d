using System.Data.Common;

namespace Kaiju.Tasks;

/// <summary>Options for the creation of a task.</summary>
public sealed class CreateOptions
{
    /// <summary>The way to handle a task whose id exists. Default <see cref="OnConflict.Fail"/>.</summary>
    public OnConflict OnConflict { get; init; }

    /// <summary>
    /// A transaction of the caller, on the database of the store. The task exists once the caller commits it, and never
    /// if the caller rolls back. Default: null, the store's own transaction.
    /// </summary>
    /// <remarks>
    /// The store must be one of the database adapters: with any other, creation throws
    /// <see cref="NotSupportedException"/>. A transaction that has ended, or that belongs to another database, is an
    /// <see cref="ArgumentException"/>. After any exception, roll the transaction back.
    /// </remarks>
    public DbTransaction? Transaction { get; init; }

    /// <summary>
    /// The version of the definition, any number that grows with each deployment. With
    /// <see cref="OnConflict.Update"/> a version lower than the stored one is <see cref="CreateResult.Skipped"/>, so
    /// that an old host that restarts does not bring an old definition back. Of equal versions the last definition
    /// wins. A new task stores it in any case. Default: null, no version: the last definition wins, and a stored
    /// version stays.
    /// </summary>
    public long? Version { get; init; }

    internal static CreateOptions Default { get; } = new();
}
