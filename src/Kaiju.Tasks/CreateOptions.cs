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

    internal static CreateOptions Default { get; } = new();
}
