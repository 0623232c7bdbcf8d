using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The tasks whose definition a statement reads: those with one of these traits. The others need only their columns.
/// </summary>
/// <param name="Traits">
/// A set of <see cref="TaskTraits"/>; 16 stands for every task. <see cref="Method"/> asks for less.
/// </param>
internal readonly record struct DefinitionNeed(int Traits)
{
    /// <summary>A flag beside the traits: of every task the method of the stage that is queued next.</summary>
    public const int Method = 32;

    /// <summary>No task: the columns are enough.</summary>
    public static readonly DefinitionNeed None = new(0);

    /// <summary>Every task.</summary>
    public static readonly DefinitionNeed All = new(16);

    /// <summary>
    /// The tasks for which the lifecycle needs more than <see cref="TaskRow.Head"/> to decide an event. It may need the
    /// schedule of a periodic task, the name of the next task, the rules of retries, or the method of a stage that is
    /// queued.
    /// </summary>
    public static DefinitionNeed Of(TaskEvent happened) => happened switch
    {
        TaskEvent.GivenBack or TaskEvent.Interrupted or TaskEvent.Claimed => None,
        TaskEvent.QueueDue => new((int)(TaskTraits.Periodic | TaskTraits.Waits) | Method),
        TaskEvent.Chained or TaskEvent.Cancelled or TaskEvent.Reset =>
            new((int)TaskTraits.Periodic),
        TaskEvent.CheckWait or TaskEvent.MessageSent => new((int)TaskTraits.Chains),
        TaskEvent.Reported { Report.Outcome: StageOutcome.Done or StageOutcome.Wait } => new((int)TaskTraits.Chains),
        _ => All,
    };

    public bool Includes(TaskTraits traits) => (((int)traits | All.Traits) & Traits) != 0;

    public DefinitionNeed With(DefinitionNeed other) => new(Traits | other.Traits);
}
