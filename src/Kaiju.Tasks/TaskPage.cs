using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>A page of tasks.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskPage
{
    /// <summary>
    /// The tasks, in the order of the query. A page may be short or empty although another follows: it reads a bounded
    /// number of rows.
    /// </summary>
    public required IReadOnlyList<TaskRecord> Items { get; init; }

    /// <summary>The position after which the next page begins; null for the last page.</summary>
    public TaskCursor? Next { get; init; }
}
