using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Lifecycle;

/// <content>Retries by hand.</content>
public static partial class TaskLifecycle
{
    /// <summary>Decides whether a failed run can be retried by hand, and if not, why.</summary>
    /// <param name="task">The definition; null if the task does not exist.</param>
    /// <param name="state">The state; null if the task does not exist.</param>
    /// <param name="shown">
    /// For an IDLE task: the run that the record shows (<see cref="ManagedState.ResultRun"/>), if it has ended and is
    /// kept. Otherwise not used.
    /// </param>
    /// <param name="change">
    /// The changes with which the run begins a new pass. Default: null, to resume in its pass.
    /// </param>
    public static RetryResult JudgeRetry(
        TaskDefinition? task, ManagedState? state, TaskRun? shown, RetryChange? change = null)
    {
        if (task is null || state is null)
        {
            return RetryResult.NotFound;
        }

        var reason = state.State switch
        {
            TaskState.Failed => RetryResult.Retried,
            TaskState.Finished => RetryResult.NotFailed,
            TaskState.Idle => JudgeShown(task, state, shown),
            _ => RetryResult.UnderWay,
        };
        if (reason != RetryResult.Retried)
        {
            return reason;
        }

        var failed = state.State == TaskState.Idle ? shown!.Result.Count : state.Stage;
        return !task.Enabled ? RetryResult.Disabled
            : (change?.FromStage ?? failed) is var stage && stage >= 0 && stage <= failed && stage < task.Commands.Count
                ? RetryResult.Retried
                : RetryResult.NoSuchStage;
    }

    /// <summary>Decides about the run that an IDLE task shows while it waits for its next run.</summary>
    private static RetryResult JudgeShown(TaskDefinition task, ManagedState state, TaskRun? shown)
    {
        if (state.ResultRun == state.JobId || (shown?.State ?? StateOf(state.ExitCode)) == TaskState.Finished)
        {
            return RetryResult.NotFailed;
        }

        // A start by a chain or at a time of its own is not an occurrence that could wait.
        return task.Cron is null || state.NextRun <= OccurrenceOf(state, shown) ? RetryResult.UnderWay
            : shown is null ? RetryResult.NotKept
            : RetryResult.Retried;
    }

    private static TaskState StateOf(TaskExitCode? exitCode) =>
        exitCode == TaskExitCode.Success ? TaskState.Finished : TaskState.Failed;

    private static DateTimeOffset? OccurrenceOf(ManagedState state, TaskRun? shown) =>
        state.Occurrence ?? state.QueuedAt ?? shown?.Ended;

    private static Transition? Retry(
        TaskDefinition task, ManagedState state, TaskEvent.Retried retried, DateTimeOffset now, LifecycleRules rules)
    {
        var (shown, change) = (retried.Shown, retried.Change);
        if (JudgeRetry(task, state, shown, change) != RetryResult.Retried)
        {
            return null;
        }

        // A retry to come is made now, as its policy says. One that comes too late for the manager is made anew.
        if (change is null && state.RetryAt is not null
            && !RetryPlan.Of(task, state, now).IsTooLate(TimeSpan.Zero, rules))
        {
            return RetryIfDue(task, state with { RetryAt = now }, now, rules);
        }

        var failed = state.State == TaskState.Failed ? state : Restored(state, shown!);
        var renewed = failed with
        {
            Retries = 0,
            FreeRetries = failed.Attempt,
            StageRetries = 0,
            Interruptions = 0,
            PutBacks = 0,
        };
        // Results from the stage on can only come from an import. The new ones must not share their keys.
        var beginsPass = change is not null || retried.Results > failed.Stage;
        if (beginsPass)
        {
            var stage = change?.FromStage ?? failed.Stage;
            renewed = renewed with
            {
                Stage = stage,
                Pass = failed.Pass + 1,
                ResultPass = failed.Pass + 1,
                Changes = RunChanges.Of(failed.Changes, stage, change),
            };
        }

        return new Transition
        {
            After = Queued(task, renewed, now),
            RestoresRun = state.State == TaskState.Idle,
            MovedResults = beginsPass ? Math.Min(renewed.Stage, retried.Results) : 0,
        };
    }

    /// <summary>
    /// The state of a task whose last run is current again. The occurrence for which the task waited stays its next
    /// run (<see cref="PeriodicSchedule.WaitingStart"/>).
    /// </summary>
    private static ManagedState Restored(ManagedState state, TaskRun shown) => state with
    {
        JobId = state.ResultRun,
        Stage = shown.Result.Count,
        Pass = state.ResultPass,
        Retries = 0,
        FreeRetries = shown.Retries,
        Occurrence = OccurrenceOf(state, shown),
    };
}
