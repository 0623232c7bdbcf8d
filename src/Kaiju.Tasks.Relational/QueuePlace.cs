using System.Data.Common;

namespace Kaiju.Tasks.Relational;

/// <summary>The place up to which the common queue was looked through for tasks with an outdated hold.</summary>
/// <param name="IsChanged">True if the holds have changed and the end of the queue is not reached yet.</param>
/// <param name="App">The app of the last task; empty at the start.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="QueuedAt">The time at which it was queued, in ticks.</param>
/// <param name="TaskNo">Its number.</param>
internal readonly record struct QueuePlace(bool IsChanged, string App, int Priority, long QueuedAt, long TaskNo)
{
    /// <summary>The start of the queue.</summary>
    public static QueuePlace Start(bool isChanged) => new(isChanged, "", 0, 0, 0);

    public static QueuePlace Read(DbDataReader row) =>
        new(row.GetBoolean(0), row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4));

    /// <summary>The arguments of statements about the place.</summary>
    public Argument[] Arguments() =>
    [
        Argument.Text("app", App),
        Argument.Integer("priority", Priority),
        Argument.Long("queued_at", QueuedAt),
        Argument.Long("task_no", TaskNo),
    ];

    public async ValueTask StoreAsync(SqlStep step) => await step.ExecuteAsync(
        "mark_routing", [Argument.Flag("is_changed", IsChanged), .. Arguments()]).ConfigureAwait(false);
}
