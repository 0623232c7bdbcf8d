using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>The rules of creation that all stores share.</summary>
internal static class CreationRules
{
    /// <summary>
    /// Decides about a new task whose id a stored task has. <see cref="TaskDeployment"/> decides the rest of an update.
    /// </summary>
    /// <param name="onConflict">The action that the caller wants.</param>
    /// <param name="known">The state of the stored task.</param>
    /// <param name="isInScope">True if the caller may reach the stored task.</param>
    public static CreateResult Decide(OnConflict onConflict, ManagedState known, bool isInScope) => onConflict switch
    {
        _ when !isInScope => CreateResult.Refused,
        OnConflict.Skip => CreateResult.Skipped,
        OnConflict.Replace when TaskLifecycle.IsAtRest(known) => CreateResult.Replaced,
        OnConflict.Update => CreateResult.Updated,
        _ => CreateResult.Refused,
    };

    /// <summary>
    /// The places of a call's tasks in waves, each id at most once in a wave. A repeated id conflicts with the task
    /// that the call itself has created.
    /// </summary>
    public static IEnumerable<IEnumerable<int>> Waves(IReadOnlyList<TaskDefinition> tasks) =>
        from same in Enumerable.Range(0, tasks.Count).GroupBy(place => tasks[place].Id, StringComparer.Ordinal)
        from occurrence in same.Index()
        group occurrence.Item by occurrence.Index;

    /// <summary>The hints to publish for a new task.</summary>
    public static StoreHintKinds HintsOf(ManagedState created) =>
        created.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.Duty;

    /// <summary>Refuses all definitions if one of them lacks its defaults, before any is stored.</summary>
    /// <exception cref="ArgumentException">A definition lacks its defaults.</exception>
    public static void ThrowIfNotPrepared(IEnumerable<TaskDefinition> tasks)
    {
        foreach (var task in tasks)
        {
            TaskDefinitionChecker.ThrowIfNotPrepared(task);
        }
    }
}
