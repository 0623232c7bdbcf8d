namespace Kaiju.Tasks.Lifecycle;

/// <summary>What an event makes of a task. A store carries out all of it in one transaction, or nothing.</summary>
public sealed record Transition
{
    /// <summary>The state from now on.</summary>
    public required ManagedState After { get; init; }

    /// <summary>A row of the run's history to add: a stage's result, or its failure.</summary>
    public StageEntry? Entry { get; init; }

    /// <summary>A notification is to be left.</summary>
    public bool Notify { get; init; }

    /// <summary>
    /// The task to start with <see cref="TaskEvent.Chained"/>, in a second step of the same transaction.
    /// </summary>
    public string? StartNext { get; init; }

    /// <summary>
    /// The run before is over and shown no longer once the new one is queued: its outcome goes to the archive now.
    /// </summary>
    public bool ArchivesRun { get; init; }
}
