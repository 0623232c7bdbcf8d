using System.Text.Json;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Decides which members of a definition may change in which state, and how the change affects the state. Members that
/// describe a task or affect later runs may change at any time. Members that a run uses may not change during the run.
/// </summary>
public static class TaskUpdate
{
    /// <summary>The faults of an update, one sentence each; none if the update is allowed.</summary>
    /// <param name="before">The stored definition.</param>
    /// <param name="after">The new definition, complete.</param>
    /// <param name="state">The task's state.</param>
    public static IReadOnlyList<string> FindFaults(TaskDefinition before, TaskDefinition after, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(state);
        var faults = new List<string>();
        var isUnderWay = state.State != TaskState.Idle && !state.HasEnded;
        RefuseIf(before.Id != after.Id, "id", "can never change", faults);
        RefuseIf(
            isUnderWay && before.AppName != after.AppName,
            "app_name",
            $"cannot change while the task is {state.State}",
            faults);
        RefuseIf(
            isUnderWay && !SameCommands(before.Commands, after.Commands),
            "commands",
            $"cannot change while the task is {state.State}",
            faults);
        RefuseIf(
            isUnderWay && !Same(before.KwsJson, after.KwsJson),
            "kws",
            $"cannot change while the task is {state.State}",
            faults);
        RefuseIf(
            state.State != TaskState.Idle && before.RunAt != after.RunAt,
            "run_at",
            $"can change only while the task is Idle, and it is {state.State}",
            faults);
        return faults;
    }

    /// <summary>
    /// The waiting definition (<see cref="TaskDeployment"/>) after an allowed update; null for none. An update clears
    /// it, unless it only enables or disables the task.
    /// </summary>
    /// <param name="before">The stored definition.</param>
    /// <param name="waiting">The definition that waits; null for none.</param>
    /// <param name="after">The new definition, complete.</param>
    public static TaskDefinition? KeepWaiting(TaskDefinition before, TaskDefinition? waiting, TaskDefinition after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return waiting is not null && before.Enabled != after.Enabled
            && TaskDeployment.IsSame(before, after with { Enabled = before.Enabled })
            ? waiting with { Enabled = after.Enabled }
            : null;
    }

    /// <summary>The state after an allowed update.</summary>
    /// <param name="before">The stored definition.</param>
    /// <param name="after">The new definition, complete.</param>
    /// <param name="state">The state before.</param>
    /// <param name="now">The store's time.</param>
    public static ManagedState Apply(
        TaskDefinition before, TaskDefinition after, ManagedState state, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(state);
        var changesSchedule = before.Cron != after.Cron || before.CronTimeZone != after.CronTimeZone;
        if (state.State != TaskState.Idle)
        {
            // An occurrence of the old schedule does not run after the present run.
            if (changesSchedule && state.NextRun > state.Occurrence)
            {
                state = state with { NextRun = null };
            }

            // Decided anew in the step that stores it: while a task is disabled, no duty looks at its hold. A hold that
            // only a later version knows stays. See docs/decisions/0018.
            return state.State == TaskState.Queued && Enum.IsDefined(state.Hold)
                ? state with { Hold = TaskHold.None }
                : state;
        }

        var changesStart = before.RunAt != after.RunAt;
        if (!changesStart && !changesSchedule)
        {
            return state;
        }

        // An error of the old schedule is not shown beside the new schedule.
        var rested = state.Error?.Kind == TaskErrorKind.Schedule ? state with { Error = null } : state;
        if (changesStart)
        {
            return TaskLifecycle.FirstRun(after, rested, now);
        }

        // A new schedule counts from now and after the last occurrence. So it does not run missed occurrences of the
        // old one, does not start the task now, and repeats no occurrence.
        return (after.Cron is null
            ? null
            : PeriodicSchedule.Plan(after, rested, now)) ?? rested with { NextRun = null };
    }

    private static void RefuseIf(bool condition, string member, string why, List<string> faults)
    {
        if (condition)
        {
            faults.Add($"{member} {why}.");
        }
    }

    /// <summary>True if a run of one definition does the same work as a run of the other.</summary>
    internal static bool HaveSameWork(TaskDefinition one, TaskDefinition other) =>
        one.AppName == other.AppName
        && SameCommands(one.Commands, other.Commands)
        && Same(one.KwsJson, other.KwsJson);

    private static bool SameCommands(IReadOnlyList<TaskCommand> before, IReadOnlyList<TaskCommand> after) =>
        before.Count == after.Count && before.Zip(after).All(pair =>
            pair.First.Method == pair.Second.Method
            && pair.First.MaxTimeout == pair.Second.MaxTimeout
            && pair.First.MaxRetries == pair.Second.MaxRetries
            && pair.First.RetryDelay == pair.Second.RetryDelay
            && Same(pair.First.ParamsJson, pair.Second.ParamsJson)
            && Same(pair.First.Condition?.Json ?? default, pair.Second.Condition?.Json ?? default));

    private static bool Same(JsonElement before, JsonElement after) =>
        before.ValueKind == JsonValueKind.Undefined || after.ValueKind == JsonValueKind.Undefined
            ? before.ValueKind == after.ValueKind
            : JsonElement.DeepEquals(before, after);
}
