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
    /// True: a new run begins with the definition that waits (<see cref="TaskDeployment.Take"/>), and none waits any
    /// more. The task's revision grows by one. Default false.
    /// </summary>
    public bool TakesWaiting { get; init; }

    /// <summary>
    /// True: the outcome of the previous run must be archived, since the record no longer shows it when the new run is
    /// queued.
    /// </summary>
    public bool ArchivesRun { get; init; }

    /// <summary>
    /// True: the archived outcome of the run that the record shows must be deleted, since that run is resumed. Its
    /// number is the current one again.
    /// </summary>
    public bool RestoresRun { get; init; }

    /// <summary>
    /// The number of results, from the first stage on, that move from the pass before to the new pass. Default 0.
    /// </summary>
    public int MovedResults { get; init; }
}
