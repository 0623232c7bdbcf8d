using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Creates tasks: each call in steps of bounded size. See docs/decisions/0011.</summary>
internal class TaskCreation(SqlSession session, StoreParts parts)
{
    protected StoreParts Parts => parts;

    /// <inheritdoc cref="CreationRules.ThrowIfNotPrepared"/>
    public static void ThrowIfNotPrepared(IEnumerable<TaskDefinition> tasks) => CreationRules.ThrowIfNotPrepared(tasks);

    public virtual async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        var mark = parts.Ids.NewId();
        var answers = new List<CreateAnswer>(tasks.Count);
        foreach (var piece in tasks.Count == 0 ? [] : Pieces.Of(tasks, TaskRow.SizeOf))
        {
            var creation = new CreationStep(parts, piece, onConflict, context, mark);
            var bytes = Pieces.SizeOf(piece, TaskRow.SizeOf);
            answers.AddRange(
                await session.WriteLargeAsync(creation.RunAsync, bytes, cancellationToken).ConfigureAwait(false));
        }

        return answers;
    }

    public ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks.Select(task => task.Definition));
        return session.WriteAsync(new ImportStep(parts, tasks, executors).RunAsync, cancellationToken);
    }
}
