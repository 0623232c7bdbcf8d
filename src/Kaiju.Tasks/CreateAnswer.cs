using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>What became of one task that was to be created.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Result">What was done.</param>
/// <param name="State">The task's state now.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct CreateAnswer(string TaskId, CreateResult Result, TaskState State)
{
    /// <summary>Why the definition is <see cref="CreateResult.Invalid"/>; else none.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];
}
