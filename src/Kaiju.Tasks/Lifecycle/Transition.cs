namespace Kaiju.Tasks.Lifecycle;

/// <summary>The changes that an event causes. A store applies all of them in one transaction, or none.</summary>
public sealed record Transition
{
    /// <summary>The new state.</summary>
    public required ManagedState After { get; init; }

    /// <summary>The entry to add to the run's history: a stage's result or failure. Default: null, for none.</summary>
    public StageEntry? Entry { get; init; }

    /// <summary>True: a notification must be stored.</summary>
    public bool Notify { get; init; }

    /// <summary>
    /// The id of the follow-up task to start with <see cref="TaskEvent.Chained"/>, in a second step of the same
    /// transaction. Default: null, for none.
    /// </summary>
    public string? StartNext { get; init; }

    /// <summary>
    /// True: the outcome of the previous run must be archived, since the record no longer shows it when the new run is
    /// queued.
    /// </summary>
    public bool ArchivesRun { get; init; }
}
