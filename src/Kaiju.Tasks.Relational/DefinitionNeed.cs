using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Relational;

/// <summary>Of which tasks a statement reads the definition: those that have one of these traits.</summary>
/// <param name="Traits">A set of <see cref="TaskTraits"/>, and 16 for every task.</param>
internal readonly record struct DefinitionNeed(int Traits)
{
    /// <summary>Of none: the columns say all that is needed.</summary>
    public static readonly DefinitionNeed None = new(0);

    /// <summary>Of every task.</summary>
    public static readonly DefinitionNeed All = new(16);

    /// <summary>
    /// Of which tasks the lifecycle needs more for an event than <see cref="TaskRow.Head"/>: the schedule of a periodic
    /// task, the name of the next task, the rules of its retries.
    /// </summary>
    public static DefinitionNeed Of(TaskEvent happened) => happened switch
    {
        TaskEvent.GivenBack or TaskEvent.Interrupted or TaskEvent.Claimed => None,
        TaskEvent.QueueDue or TaskEvent.Chained or TaskEvent.Cancelled or TaskEvent.Reset =>
            new((int)TaskTraits.Periodic),
        TaskEvent.CheckWait or TaskEvent.MessageSent => new((int)TaskTraits.Chains),
        TaskEvent.Reported { Report.Outcome: StageOutcome.Done or StageOutcome.Wait } => new((int)TaskTraits.Chains),
        _ => All,
    };

    public bool Includes(TaskTraits traits) => (((int)traits | All.Traits) & Traits) != 0;

    public DefinitionNeed With(DefinitionNeed other) => new(Traits | other.Traits);
}
