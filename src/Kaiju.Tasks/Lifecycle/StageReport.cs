using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// What an executor says of a stage, under its claim. Carried out only if the task still holds that claim and stands at
/// that stage.
/// </summary>
public sealed class StageReport
{
    /// <summary>The task.</summary>
    public required string TaskId { get; init; }

    /// <summary>The claim under which the stage ran.</summary>
    public required Guid Claim { get; init; }

    /// <summary>The run, as the claim named it.</summary>
    public required string JobId { get; init; }

    /// <summary>
    /// Which go at the run it is, as the claim said. With the run it decides when a retry comes, so that a store need
    /// not read before it writes.
    /// </summary>
    public required int Attempt { get; init; }

    /// <summary>The stage.</summary>
    public required int Stage { get; init; }

    /// <summary>What became of it.</summary>
    public required StageOutcome Outcome { get; init; }

    /// <summary>How long the stage took. A duration, so that the executor's clock does not matter.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What the store gave with the claim (<see cref="ExecutorTask.StoreKey"/>).</summary>
    public long StoreKey { get; init; }

    /// <summary>The report's own name.</summary>
    public ReportId Id => new(Claim, Stage, Outcome.Kind);
}
