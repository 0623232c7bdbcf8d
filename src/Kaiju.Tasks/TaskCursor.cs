using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>A place in the order in which tasks are listed.</summary>
/// <param name="Created">The last task's creation.</param>
/// <param name="Id">Its id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct TaskCursor(DateTimeOffset Created, string Id);
