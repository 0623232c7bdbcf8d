using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// An executor's report about a stage. The store records it only if the task still has the report's claim and stage.
/// </summary>
public sealed class StageReport
{
    private StageOutcome _outcome;

    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The claim under which the stage ran.</summary>
    public required Guid Claim { get; init; }

    /// <summary>The run's id, as it was in the claim.</summary>
    public required string JobId { get; init; }

    /// <summary>
    /// The attempt at the run, from 1, as it was in the claim. The time of a retry is computed from it and the run's
    /// id, so that a store need not read before it writes.
    /// </summary>
    public required int Attempt { get; init; }

    /// <summary>The stage, from 0.</summary>
    public required int Stage { get; init; }

    /// <summary>The outcome of the stage.</summary>
    public required StageOutcome Outcome
    {
        get => _outcome;
        [MemberNotNull(nameof(_outcome))]
        init => _outcome = value;
    }

    /// <summary>The time that the stage took. A duration does not depend on the executor's clock.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The store's own number for the task (<see cref="ExecutorTask.StoreKey"/>).</summary>
    public long StoreKey { get; init; }

    /// <summary>The identity of the report.</summary>
    public ReportId Id => new(Claim, Stage, Outcome.Kind);

    /// <summary>Returns the report with another outcome.</summary>
    internal StageReport WithOutcome(StageOutcome outcome)
    {
        var copy = (StageReport)MemberwiseClone();
        copy._outcome = outcome;
        return copy;
    }
}
