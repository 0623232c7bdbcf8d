namespace Kaiju.Tasks.Relational;

/// <summary>
/// How an adapter carries out steps. A write is one transaction that reads and holds rows, lets the lifecycle decide
/// and writes what it says; a read is one statement. When a step is tried again is decided here and nowhere else.
/// </summary>
internal abstract class SqlSession
{
    /// <summary>What a statement says to leave out the tasks of its argument <c>@except</c>.</summary>
    public abstract string ExceptClause { get; }

    /// <summary>Runs a step in a transaction of its own, again if the database asks for it.</summary>
    /// <param name="act">
    /// The step; it may run more than once, each time from the beginning. Where <see cref="SqlStep.IsRepeated"/> an
    /// earlier run may have been committed, and the step must know what it did then.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    public abstract ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    /// <summary>Runs a step that brings so many bytes, so that not too many of them come together.</summary>
    public virtual ValueTask<T> WriteLargeAsync<T>(
        Func<SqlStep, ValueTask<T>> act,
        long bytes,
        CancellationToken cancellationToken) => WriteAsync(act,
        cancellationToken);

    /// <summary>Runs one statement that may be run twice, as a step of its own.</summary>
    /// <returns>How many rows it changed.</returns>
    public virtual ValueTask<int> ExecuteAsync(
        string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        WriteAsync(step => step.ExecuteAsync(statement, arguments), cancellationToken);

    /// <summary>Asks something that changes nothing.</summary>
    public abstract ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    /// <summary>
    /// True for a fault that one of a batch's rows may be the cause of, and not the connection or the server.
    /// </summary>
    public virtual bool IsOfRow(Exception e) => RowFault.IsOfReading(e);
}
