using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>A hint that something has changed.</summary>
/// <param name="kinds">The kinds of changes.</param>
/// <param name="apps">
/// With <see cref="StoreHintKinds.Queued"/>: the apps that may have tasks to claim.
/// </param>
/// <param name="taskIds">
/// With <see cref="StoreHintKinds.Ended"/> or <see cref="StoreHintKinds.ClaimLost"/>: the tasks of these runs or
/// claims.
/// </param>
public readonly struct StoreHint(StoreHintKinds kinds, HintNames apps, HintNames taskIds)
{
    /// <summary>The kinds of changes.</summary>
    public StoreHintKinds Kinds { get; } = kinds;

    /// <summary>With <see cref="StoreHintKinds.Queued"/>: the apps that may have tasks to claim.</summary>
    public HintNames Apps { get; } = apps;

    /// <summary>
    /// With <see cref="StoreHintKinds.Ended"/> or <see cref="StoreHintKinds.ClaimLost"/>: the tasks of these runs or
    /// claims.
    /// </summary>
    public HintNames TaskIds { get; } = taskIds;

    private const StoreHintKinds OfTasks = StoreHintKinds.Ended | StoreHintKinds.ClaimLost;

    /// <summary>A hint about any app and any task.</summary>
    /// <param name="kinds">The kinds of changes.</param>
    public StoreHint(StoreHintKinds kinds)
        : this(kinds, HintNames.Any, HintNames.Any)
    {
    }

    /// <summary>The kinds of hints to publish for one event.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="before">The state before the event.</param>
    /// <param name="after">The state after the event.</param>
    /// <param name="happened">The event.</param>
    public static StoreHintKinds KindsOf(
        TaskDefinition task, ManagedState before, ManagedState after, TaskEvent happened)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var kinds = after.State == TaskState.Queued ? StoreHintKinds.Queued
            : DueDuty.Of(task, after) is not null ? StoreHintKinds.Duty
            : StoreHintKinds.None;
        if (after.HasEnded || after.JobId != before.JobId)
        {
            kinds |= StoreHintKinds.Ended;
        }

        // A holder that reports or gives back its claim knows that already.
        return before.Claim is not null && after.Claim != before.Claim
            && happened is not (TaskEvent.Reported or TaskEvent.GivenBack)
            ? kinds | StoreHintKinds.ClaimLost
            : kinds;
    }

    /// <summary>This hint combined with one about another task.</summary>
    /// <param name="kinds">The kinds of changes of that task.</param>
    /// <param name="app">
    /// The task's app; null if it is unknown. It is ignored without <see cref="StoreHintKinds.Queued"/>.
    /// </param>
    /// <param name="taskId">The task's id; null if it is unknown.</param>
    public StoreHint With(StoreHintKinds kinds, string? app, string? taskId) => kinds == StoreHintKinds.None
        ? this
        : new StoreHint(
            Kinds | kinds,
            (kinds & StoreHintKinds.Queued) == StoreHintKinds.None ? Apps : Apps.With(app),
            (kinds & OfTasks) == StoreHintKinds.None ? TaskIds : TaskIds.With(taskId));

    /// <summary>This hint combined with another one.</summary>
    /// <param name="other">The other hint.</param>
    public StoreHint With(StoreHint other) => Kinds == StoreHintKinds.None ? other : new StoreHint(
        Kinds | other.Kinds,
        (other.Kinds & StoreHintKinds.Queued) == StoreHintKinds.None ? Apps : Apps.With(other.Apps),
        (other.Kinds & OfTasks) == StoreHintKinds.None ? TaskIds : TaskIds.With(other.TaskIds));

    /// <summary>True if one of these apps may have a task to claim.</summary>
    /// <param name="apps">The apps.</param>
    public bool MayQueue(IReadOnlyList<string> apps)
    {
        ArgumentNullException.ThrowIfNull(apps);
        if ((Kinds & StoreHintKinds.Queued) == StoreHintKinds.None)
        {
            return false;
        }

        for (var i = 0; i < apps.Count; i++)
        {
            if (Apps.MayContain(apps[i]))
            {
                return true;
            }
        }

        return false;
    }
}
