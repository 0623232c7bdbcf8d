namespace Kaiju.Tasks.Relational;

/// <summary>
/// Runs the steps of an adapter. A write is one transaction that reads and holds rows, lets the lifecycle decide, and
/// writes the result; a read is one statement. Only the session decides when a step is retried. See
/// docs/decisions/0014.
/// </summary>
internal abstract class SqlSession
{
    /// <summary>The clause of a statement that leaves out the tasks of its argument <c>@except</c>.</summary>
    public abstract string ExceptClause { get; }

    /// <summary>Runs a step in a transaction of its own, and repeats it if the database asks for that.</summary>
    /// <param name="act">
    /// The step; it may run more than once, each time from the beginning. Where <see cref="SqlStep.IsRepeated"/> is
    /// true, an earlier run may have been committed, and the step must be able to find its result.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    public abstract ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    /// <summary>Runs a step with large arguments; an adapter may limit how many run at the same time.</summary>
    public virtual ValueTask<T> WriteLargeAsync<T>(
        Func<SqlStep, ValueTask<T>> act,
        long bytes,
        CancellationToken cancellationToken) => WriteAsync(act,
        cancellationToken);

    /// <summary>Runs one statement that may be repeated, as a step of its own.</summary>
    /// <returns>The number of changed rows.</returns>
    public virtual ValueTask<int> ExecuteAsync(
        string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        WriteAsync(step => step.ExecuteAsync(statement, arguments), cancellationToken);

    /// <summary>Runs a step that changes nothing.</summary>
    public abstract ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken);

    /// <summary>
    /// True if one of a batch's rows may have caused the exception, and not the connection or the server.
    /// </summary>
    public virtual bool IsOfRow(Exception e) => RowFault.IsOfReading(e);
}
