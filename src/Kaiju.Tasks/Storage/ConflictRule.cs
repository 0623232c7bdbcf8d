using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>What a creation does on an id that another task has. Every store asks this rule; none has one of its own.</summary>
internal static class ConflictRule
{
    /// <summary>Decides between leaving the known task alone, replacing it and refusing the new one.</summary>
    /// <param name="onConflict">What the caller asked for.</param>
    /// <param name="known">The state of the task that has the id.</param>
    /// <param name="isInScope">Whether the caller may reach that task. An id outside the scope is refused without a look at it.</param>
    public static CreateResult Decide(OnConflict onConflict, ManagedState known, bool isInScope) => onConflict switch
    {
        _ when !isInScope => CreateResult.Refused,
        OnConflict.Skip => CreateResult.Skipped,
        OnConflict.Replace when TaskLifecycle.IsAtRest(known) => CreateResult.Replaced,
        _ => CreateResult.Refused,
    };
}
