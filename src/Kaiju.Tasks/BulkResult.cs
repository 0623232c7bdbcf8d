using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The outcome of a bulk operation, such as <see cref="ITaskClient.RetryManyAsync"/>.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class BulkResult
{
    /// <summary>The operation's id. Reserved: always null.</summary>
    public string? OperationId { get; init; }

    /// <summary>The tasks that the query selected and that had not changed since the operation began.</summary>
    public required int Matched { get; init; }

    /// <summary>The tasks that were changed; 0 for a dry run.</summary>
    public required int Done { get; init; }

    /// <summary>The tasks that were not changed, since their state did not allow it; 0 for a dry run.</summary>
    public required int Refused { get; init; }
}
