using System.Text.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Decides how a deployment changes a stored task (<see cref="OnConflict.Update"/>): pure. What may change under way
/// counts at once. Commands, kws and app wait in a definition beside the stored one, and are taken in the step that
/// begins the next run. So a run, its retries and a retry of its archived outcome use the work that it began with. See
/// docs/decisions/0020.
/// </summary>
public sealed class TaskDeployment
{
    /// <summary>
    /// The result: <see cref="CreateResult.Updated"/>, <see cref="CreateResult.Unchanged"/> or
    /// <see cref="CreateResult.Skipped"/>. Only an update is stored.
    /// </summary>
    public required CreateResult Result { get; init; }

    /// <summary>The definition to store.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>The definition that waits for the next run; null for none.</summary>
    public TaskDefinition? Waiting { get; init; }

    /// <summary>The version of the newest definition, waiting or not; null for none.</summary>
    public long? Version { get; init; }

    /// <summary>The state to store.</summary>
    public required ManagedState State { get; init; }

    /// <summary>The effect of a deployment.</summary>
    /// <param name="stored">The stored task; its results are not needed.</param>
    /// <param name="asked">The new definition, complete.</param>
    /// <param name="version">The version of the new definition; null for none.</param>
    /// <param name="now">The store's time.</param>
    public static TaskDeployment Decide(
        TaskRecord stored, TaskDefinition asked, long? version, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(asked);
        if (version < stored.Version)
        {
            return Kept(stored, CreateResult.Skipped);
        }

        // The time of the first run cannot change any more once the task has left it behind.
        var wanted = stored.State == TaskState.Idle ? asked : asked with { RunAt = stored.Definition.RunAt };
        var newest = stored.Waiting is { } waiting ? Take(stored.Definition, waiting) : stored.Definition;
        if (IsSame(newest, wanted) && (version ?? stored.Version) == stored.Version)
        {
            return Kept(stored, CreateResult.Unchanged);
        }

        var waits = stored.QueuedAt is not null && !TaskUpdate.HaveSameWork(stored.Definition, wanted);
        var definition = waits ? Take(wanted, stored.Definition) : wanted;
        return new TaskDeployment
        {
            Result = CreateResult.Updated,
            Definition = definition,
            Waiting = waits ? wanted : null,
            Version = version ?? stored.Version,
            State = Apply(stored, definition, now),
        };
    }

    /// <summary>A definition with the work of another one: its commands, its kws and its app.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="work">The definition with the work.</param>
    public static TaskDefinition Take(TaskDefinition definition, TaskDefinition work)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(work);
        return definition with { Commands = work.Commands, KwsJson = work.KwsJson, AppName = work.AppName };
    }

    /// <summary>True if two complete definitions are stored in the same form, in any order of members.</summary>
    internal static bool IsSame(TaskDefinition one, TaskDefinition other)
    {
        if (one.AppName != other.AppName)
        {
            return false;
        }

        var (first, second) = (one.ToStoredJson(), other.ToStoredJson());
        return first == second || JsonElement.DeepEquals(WireText.Parse(first), WireText.Parse(second));
    }

    private static TaskDeployment Kept(TaskRecord stored, CreateResult result) => new()
    {
        Result = result,
        Definition = stored.Definition,
        Waiting = stored.Waiting,
        Version = stored.Version,
        State = stored.Managed,
    };

    /// <summary>The state after the deployment. An occurrence that is overdue still runs.</summary>
    private static ManagedState Apply(TaskRecord stored, TaskDefinition definition, DateTimeOffset now)
    {
        var state = TaskUpdate.Apply(stored.Definition, definition, stored.Managed, now);
        return stored is { State: TaskState.Idle, NextRun: { } due } && due <= now
            ? state with { NextRun = due }
            : state;
    }
}
