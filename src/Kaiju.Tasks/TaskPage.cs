using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>One page of tasks.</summary>
/// <param name="Tasks">
/// The tasks. There may be fewer than were asked for, even none, and more on the next page: a page reads a bounded
/// number of rows.
/// </param>
/// <param name="Next">Where the next page begins; null: this is the last one.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskPage(IReadOnlyList<TaskRecord> Tasks, TaskCursor? Next);
