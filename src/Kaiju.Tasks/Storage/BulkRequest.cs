namespace Kaiju.Tasks.Storage;

/// <summary>One step of a bulk operation.</summary>
public sealed class BulkRequest
{
    /// <summary>The change of each task.</summary>
    public required BulkVerb Verb { get; init; }

    /// <summary>The tasks. Its order is that of the operation.</summary>
    public required TaskQuery Query { get; init; }

    /// <summary>The position after which the step begins. Default: null, for the first step.</summary>
    public TaskCursor? After { get; init; }

    /// <summary>
    /// The start of the operation: tasks whose <see cref="ManagedState.StatusChange"/> is not before it are left out,
    /// so that no task is visited twice. Default: null, for the first step, which begins the operation.
    /// </summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>The most tasks of the step, from 1.</summary>
    public required int Limit { get; init; }

    /// <summary>True: tasks are only counted. Default: false.</summary>
    public bool DryRun { get; init; }
}

/// <summary>The outcome of one step of a bulk operation.</summary>
public readonly struct BulkAnswer
{
    /// <summary>The start of the operation, by the store's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The tasks that the step has visited.</summary>
    public required int Matched { get; init; }

    /// <summary>Those of them that it has changed.</summary>
    public required int Done { get; init; }

    /// <summary>The position after which the next step begins; null if the operation is complete.</summary>
    public TaskCursor? Next { get; init; }
}
