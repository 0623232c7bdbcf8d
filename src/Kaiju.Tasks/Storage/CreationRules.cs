using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>What every store decides alike when tasks are created.</summary>
internal static class CreationRules
{
    /// <summary>What becomes of a new task whose id a stored task has.</summary>
    /// <param name="onConflict">What the caller wants.</param>
    /// <param name="known">The state of the stored task.</param>
    /// <param name="isInScope">The caller may reach the stored task.</param>
    public static CreateResult Decide(OnConflict onConflict, ManagedState known, bool isInScope) => onConflict switch
    {
        _ when !isInScope => CreateResult.Refused,
        OnConflict.Skip => CreateResult.Skipped,
        OnConflict.Replace when TaskLifecycle.IsAtRest(known) => CreateResult.Replaced,
        _ => CreateResult.Refused,
    };

    /// <summary>
    /// The places of a call's tasks in waves, each id at most once in a wave: an id that comes again meets what the
    /// call itself has created.
    /// </summary>
    public static IEnumerable<IEnumerable<int>> Waves(IReadOnlyList<TaskDefinition> tasks) =>
        from same in Enumerable.Range(0, tasks.Count).GroupBy(place => tasks[place].Id, StringComparer.Ordinal)
        from occurrence in same.Index()
        group occurrence.Item by occurrence.Index;

    /// <summary>What there is to tell of a new task.</summary>
    public static StoreHintKinds HintsOf(ManagedState created) =>
        created.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.Duty;

    /// <summary>Refuses definitions that nothing has made complete: all of them before any is stored.</summary>
    /// <exception cref="ArgumentException">One is not complete.</exception>
    public static void ThrowIfNotPrepared(IEnumerable<TaskDefinition> tasks)
    {
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task);
        }
    }
}
