using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Lifecycle;

/// <content>Events from outside of a run: times, messages, other tasks, clients.</content>
public static partial class TaskLifecycle
{
    private static Transition? StartNextPeriod(
        TaskDefinition task, ManagedState state, string jobId, DateTimeOffset now)
    {
        if (!task.Enabled || task.Cron is null || !state.HasEnded)
        {
            return null;
        }

        if (PeriodicSchedule.WaitingStart(task, state) is { } waiting)
        {
            // What was skipped before it is counted already.
            return new Transition { After = Fresh(state, jobId, now) with { NextRun = waiting }, ArchivesRun = true };
        }

        var fresh = PeriodicSchedule.Counted(task, Fresh(state, jobId, now), now);
        return PeriodicSchedule.Plan(task, fresh, now) is { } planned
            ? new Transition { After = planned, ArchivesRun = true }
            : null;
    }

    private static Transition? EndWaitIfOver(TaskDefinition task, ManagedState state, DateTimeOffset now)
    {
        if (!task.Enabled || state.State != TaskState.Waiting || !(state.WaitDeadline <= now))
        {
            return null;
        }

        // Only a later version knows what the end of another kind of wait means. See docs/decisions/0018.
        if (!Enum.IsDefined(state.Wait))
        {
            return null;
        }

        if (state.Wait == WaitKind.Snooze)
        {
            return new Transition { After = Released(state, TaskState.Suspended, null, now) };
        }

        if (state.Wait == WaitKind.Timer)
        {
            return EndWait(task, state, JsonText.Null, now);
        }

        var error = Error(
            TaskErrorKind.MessageTimeout, $"No message arrived for stage {state.Stage} until {state.WaitDeadline:u}.");
        return Fail(task, state, error, TaskExitCode.Aborted, null, null, now) with
        {
            Entry = Entry(state, state.StatusChange, now, null, default, error),
        };
    }

    private static Transition? TakeMessage(
        TaskDefinition task, ManagedState state, JsonElement data, DateTimeOffset now) =>
        state.State == TaskState.Waiting && state.Wait == WaitKind.Message && !(state.WaitDeadline <= now)
            ? EndWait(task, state, data, now)
            : null;

    /// <summary>Completes a waiting stage. If it was not the last one, an executor must claim the task again.</summary>
    private static Transition EndWait(TaskDefinition task, ManagedState state, JsonElement result, DateTimeOffset now)
    {
        var done = Complete(task, state, Entry(state, state.StatusChange, now, null, result), null, now);
        return done.After.HasEnded ? done : done with { After = Released(done.After, TaskState.Suspended, null, now) };
    }

    private static Transition? Cancel(TaskDefinition task, ManagedState state, DateTimeOffset now)
    {
        if (state.HasEnded)
        {
            return null;
        }

        // A run that was not queued yet has no results of its own: do not show those of the run before. Its occurrence
        // is the time for which it waited, so that skipped occurrences are counted from there.
        var shown = state.State == TaskState.Idle
            ? state with
            {
                Stage = 0,
                ResultRun = state.JobId,
                ResultPass = state.Pass,
                Changes = null,
                Occurrence = task.Cron is null ? state.Occurrence : PeriodicSchedule.Waited(state, now),
                Chain = ChainResult.None,
            }
            : state;
        return Fail(
            task,
            shown,
            Error(TaskErrorKind.Cancelled, $"Cancelled while {WireNames<TaskState>.Of(state.State)}."),
            TaskExitCode.Aborted,
            null,
            null,
            now);
    }

    /// <summary>Decides whether a follow-up task can be started, and if not, why.</summary>
    /// <param name="task">The definition of the follow-up task; null if it does not exist.</param>
    /// <param name="state">The state of the follow-up task; null if it does not exist.</param>
    public static ChainResult JudgeChain(TaskDefinition? task, ManagedState? state) => (task, state) switch
    {
        (null, _) or (_, null) => ChainResult.Missing,
        ({ Enabled: false }, _) => ChainResult.Disabled,
        _ => IsAtRest(state) ? ChainResult.Started : ChainResult.Busy,
    };

    private static Transition? StartChained(TaskDefinition task, ManagedState state, string jobId, DateTimeOffset now)
    {
        if (JudgeChain(task, state) != ChainResult.Started)
        {
            return null;
        }

        return state.State == TaskState.Idle
            ? new Transition { After = state with { NextRun = now } }
            : new Transition { After = Fresh(state, jobId, now) with { NextRun = now }, ArchivesRun = true };
    }

    private static Transition Reset(ManagedState state, string jobId, DateTimeOffset now) =>
        new()
        {
            After = Fresh(state, jobId, now) with
            {
                NextRun = now,
                ResultRun = jobId,
                ResultPass = 0,
                ExecDeadline = null,
                ExitCode = null,
                Error = null,
                Chain = ChainResult.None,
                Changes = null,
            },
            ArchivesRun = state.HasEnded,
        };
}
