using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>What became of an update.</summary>
/// <param name="Result">What was done.</param>
/// <param name="Faults">Why it was refused; else none.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct UpdateAnswer(UpdateResult Result, IReadOnlyList<string> Faults);
