using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>The store's members for its queue: to claim tasks, and to ask whether there are any.</summary>
internal abstract class QueueClaims(SqlSession session, StoreParts parts)
{
    /// <summary>The most immediate repetitions of a claim whose tasks were all set aside.</summary>
    protected const int MostRepeated = 20;

    /// <summary>Claims queued tasks, by priority, then by age, within the bounds of the request.</summary>
    public abstract ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
        ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// True if the executor must look at pauses and at held tasks when it claims: one of its apps is paused, or it
    /// knows a command that others do not.
    /// </summary>
    protected async ValueTask<bool> IsRoutedAsync(ExecutorInfo executor, Func<ValueTask<bool>> look)
    {
        if (parts.Routes.Matters(executor.Id) is { } seen)
        {
            return seen;
        }

        var matters = await look().ConfigureAwait(false);
        parts.Routes.Note(executor.Id, matters);
        return matters;
    }

    /// <summary>Asks the database whether pauses or holds matter to an executor.</summary>
    protected static async ValueTask<bool> LookAsync(SqlStep step, ExecutorInfo executor) => (await step.QueryAsync(
        "is_routed",
        row => row.GetBoolean(0),
        Argument.Texts("apps", executor.Apps),
        Argument.Text("executor", executor.Id)).ConfigureAwait(false))[0];

    /// <summary>True if there is a task to claim that is not set aside.</summary>
    public ValueTask<bool> HasQueuedAsync(ExecutorInfo executor, CancellationToken cancellationToken) =>
        session.ReadAsync(
        async step => (await step.QueryAsync(
            parts.Aside.WithoutClaims(step.Sql["has_queued"], session.ExceptClause),
            row => row.GetBoolean(0),
            Argument.Texts("apps", executor.Apps),
            Argument.Text("executor", executor.Id),
            parts.Aside.Except(RowsAside.Claiming)).ConfigureAwait(false))[0],
        cancellationToken);
}
