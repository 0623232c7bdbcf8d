using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// The lifecycle with one broken rule at a time: mistakes that a store could make while each single answer looks right.
/// </summary>
internal static class BrokenModelRules
{
    public static IReadOnlyList<(string Name, LifecycleFunction Next)> All { get; } =
    [
        ("claim: a report is recorded with any claim", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task, state, happened is TaskEvent.Reported { Report: var report } && state.Claim is { } claim
                ? new TaskEvent.Reported(report.With(r => r.Claim, claim))
                : happened, now, rules)),
        ("stage: a report is recorded for any stage", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened is TaskEvent.Reported { Report: var report }
                ? new TaskEvent.Reported(report.With(r => r.Stage, state.Stage))
                : happened, now, rules)),
        ("occurrence: a cancelled one is repeated", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                happened is TaskEvent.NextPeriod ? state with { Occurrence = null } : state,
                happened,
                now,
                rules)),
        ("occurrence: the next one follows the last one instead of now", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && happened is TaskEvent.NextPeriod
                && state.QueuedAt is { } queued
                ? transition with
                {
                    After = transition.After with
                    {
                        NextRun = CronSchedule.Parse(task.Cron!, task.CronTimeZone).Next(queued),
                    },
                }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        (
            "occurrence: a run has its own time, even after a later run or cancel",
            (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && task.Cron is not null
                && happened is TaskEvent.QueueDue && state.State == TaskState.Idle
                ? transition with { After = transition.After with { Occurrence = state.NextRun } }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("occurrence: a cancel forgets the last one", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && task.Cron is not null
                && happened is TaskEvent.Cancelled && state.State == TaskState.Idle
                ? transition with { After = transition.After with { Occurrence = state.NextRun ?? now } }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("occurrence: a reset forgets the last one", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && happened is TaskEvent.Reset
                ? transition with { After = transition.After with { Occurrence = null } }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("state: an EXECUTED task can be claimed again", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, happened is TaskEvent.Claimed && state.State == TaskState.Executing
                ? state with { State = TaskState.Queued }
                : state, happened, now, rules)),
        ("state: a message wakes a task from any wait", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                happened is TaskEvent.MessageSent ? state with { Wait = WaitKind.Message } : state,
                happened,
                now,
                rules)),
        ("state: a cancel changes a task that has ended", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, happened is TaskEvent.Cancelled && state.HasEnded
                ? state with { State = TaskState.Suspended }
                : state, happened, now, rules)),
        ("retry: the number is unlimited", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                happened is TaskEvent.Reported ? task with { MaxRetries = state.Retries + 1 } : task,
                state,
                happened,
                now,
                rules)),
        ("retry: retries are not counted", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && happened is TaskEvent.CheckRetry
                ? transition with { After = transition.After with { Retries = state.Retries } }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("retry: a final failure is retried", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                state,
                ChangeFailure(
                    happened, given => StageOutcome.Failed(given.Error, given.ExitCode, retryAfter: given.RetryAfter)),
                now,
                rules)),
        ("retry: the delay of a report is not used", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                state,
                ChangeFailure(happened, given => StageOutcome.Failed(given.Error, given.ExitCode, given.IsFinal)),
                now,
                rules)),
        ("stage's budget: it is not used", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                WithCommands(task, command => command with { MaxRetries = null }), state, happened, now, rules)),
        ("stage's budget: its delay is not used", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                WithCommands(task, command => command with { RetryDelay = null }), state, happened, now, rules)),
        ("stage's budget: its retries count against the task's", (task, state, happened, now, rules) =>
            ChangeRetry(task, state, happened, now, rules, after => after with
            {
                Retries = state.Retries + 1,
                FreeRetries = state.FreeRetries,
            })),
        ("stage's budget: its retries are not counted", (task, state, happened, now, rules) =>
            ChangeRetry(task, state, happened, now, rules, after => after with { StageRetries = state.StageRetries })),
        ("stage's budget: the next stage inherits what was used", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition.After.Stage > state.Stage
                    ? transition with { After = transition.After with { StageRetries = state.StageRetries } }
                    : transition
                : null),
        ("stage's budget: a new pass does not renew it", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition.After.Pass > state.Pass
                    ? transition with { After = transition.After with { StageRetries = state.StageRetries } }
                    : transition
                : null),
        ("stage's budget: its retry begins at the first stage", (task, state, happened, now, rules) =>
            ChangeRetry(task, state, happened, now, rules, after => task.RestartPolicy == RestartPolicy.First
                ? after with { Stage = 0, Pass = state.Pass + 1, ResultPass = state.Pass + 1 }
                : after)),
        ("retry: one from the first stage stays in the same pass", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && happened is TaskEvent.CheckRetry
                ? transition with { After = transition.After with { Pass = state.Pass, ResultPass = state.ResultPass } }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("retry by hand: the budget is not renewed", (task, state, happened, now, rules) =>
            ChangeRetryByHand(task, state, happened, now, rules, transition => transition with
            {
                After = transition.After with
                {
                    Retries = state.Retries,
                    FreeRetries = transition.After.FreeRetries - state.Retries,
                },
            })),
        ("retry by hand: the attempt begins anew", (task, state, happened, now, rules) =>
            ChangeRetryByHand(task, state, happened, now, rules, transition => transition with
            {
                After = transition.After with { FreeRetries = 0 },
            })),
        ("retry by hand: the run begins at its first stage", (task, state, happened, now, rules) =>
            ChangeRetryByHand(task, state, happened, now, rules, transition => transition with
            {
                After = transition.After with { Stage = 0 },
            })),
        ("retry by hand: a change stays in the same pass", (task, state, happened, now, rules) =>
            ChangeRetryByHand(task, state, happened, now, rules, transition => transition.After.Pass == state.ResultPass
                ? transition
                : transition with
                {
                    MovedResults = 0,
                    After = transition.After with { Pass = state.ResultPass, ResultPass = state.ResultPass },
                })),
        ("retry by hand: the results do not move to the new pass", (task, state, happened, now, rules) =>
            ChangeRetryByHand(
                task, state, happened, now, rules, transition => transition with { MovedResults = 0 })),
        ("retry by hand: the changes hold for later runs", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition with
                {
                    After = transition.After with { Changes = transition.After.Changes ?? state.Changes },
                }
                : null),
        ("retry by hand: the run stays archived", (task, state, happened, now, rules) =>
            ChangeRetryByHand(
                task, state, happened, now, rules, transition => transition with { RestoresRun = false })),
        ("retry by hand: the waiting occurrence is skipped", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                happened is TaskEvent.NextPeriod && state.NextRun > state.Occurrence
                    ? state with { NextRun = null }
                    : state,
                happened,
                now,
                rules)),
        ("retry by hand: the waiting occurrence is lost at the end of the run", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition.After.HasEnded && state.NextRun > state.Occurrence
                    ? transition with { After = transition.After with { NextRun = null } }
                    : transition
                : null),
        ("chain: the next task is not started", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition with { StartNext = null }
                : null),
        ("chain: the next task is restarted while it runs", (task, state, happened, now, rules) =>
            happened is TaskEvent.Chained chained
                ? TaskLifecycle.Next(
                    task,
                    state,
                    state.State is TaskState.Idle ? happened : new TaskEvent.Reset(chained.JobId),
                    now,
                    rules)
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("run: the outcome is lost when the next run begins", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
                ? transition with { ArchivesRun = false }
                : null),
        ("put-back: one is recorded with any claim", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task, state, IsPutBack(happened, out var report) && state.Claim is { } claim
                ? new TaskEvent.Reported(report.With(r => r.Claim, claim))
                : happened, now, rules)),
        ("put-back: the task joins the end of the queue", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { QueuedAt = now })),
        ("put-back: one counts as an attempt", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { Retries = after.Retries + 1 })),
        ("put-back: one counts as an interruption", (task, state, happened, now, rules) =>
            ChangePutBack(
                task, state, happened, now, rules, after => after with { Interruptions = after.Interruptions + 1 })),
        ("put-back: the task is not held", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { Hold = TaskHold.None })),
        ("put-back: the same name counts again", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task, IsPutBack(happened, out _) ? state with { Method = null } : state, happened, now, rules)),
        ("put-back: any number of names is allowed", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                IsPutBack(happened, out _) ? state with { PutBacks = Math.Min(1, state.PutBacks) } : state,
                happened,
                now,
                rules)),
        ("snooze: the stage is completed at its end", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                state.Wait == WaitKind.Snooze ? state with { Wait = WaitKind.Timer } : state,
                happened,
                now,
                rules)),
        ("snooze: one counts as an attempt", (task, state, happened, now, rules) =>
            ChangeSnooze(task, state, happened, now, rules, after => after with { Retries = after.Retries + 1 })),
        ("snooze: one is not counted", (task, state, happened, now, rules) =>
            ChangeSnooze(task, state, happened, now, rules, after => after with { Snoozes = state.Snoozes })),
        ("hold: any executor claims a held task", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                happened is TaskEvent.Claimed ? state with { Hold = TaskHold.None } : state,
                happened,
                now,
                rules)),
        ("deployment: a retry takes the work that waits", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } transition && happened is TaskEvent.CheckRetry
                ? transition with { TakesWaiting = true }
                : TaskLifecycle.Next(task, state, happened, now, rules)),
        ("deployment: a run begins without the work that waits for it", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(
                task,
                state,
                happened is TaskEvent.QueueDue due ? new TaskEvent.QueueDue(due.HasResults) : happened,
                now,
                rules)),
        ("missed runs: the host's rule counts for each task", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task with { MissedRuns = null }, state, happened, now, rules)),
    ];

    private static TaskEvent ChangeFailure(TaskEvent happened, Func<StageOutcome.Failure, StageOutcome> change) =>
        happened is TaskEvent.Reported { Report: { Outcome: StageOutcome.Failure failure } report }
            ? new TaskEvent.Reported(report.With(r => r.Outcome, change(failure)))
            : happened;

    private static TaskDefinition WithCommands(TaskDefinition task, Func<TaskCommand, TaskCommand> change) =>
        task with { Commands = [.. task.Commands.Select(change)] };

    /// <summary>Changes the state in which a retry of the stage's own budget begins.</summary>
    private static Transition? ChangeRetry(
        TaskDefinition task,
        ManagedState state,
        TaskEvent happened,
        DateTimeOffset now,
        LifecycleRules rules,
        Func<ManagedState, ManagedState> change) =>
        TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
            ? happened is TaskEvent.CheckRetry && transition.After.FreeRetries > state.FreeRetries
                ? transition with { After = change(transition.After) }
                : transition
            : null;

    private static bool IsPutBack(TaskEvent happened, [NotNullWhen(true)] out StageReport? report)
    {
        report = (happened as TaskEvent.Reported)?.Report;
        return report?.Id.Kind == ReportKind.PutBack;
    }

    /// <summary>Changes a retry by hand after a final failure.</summary>
    private static Transition? ChangeRetryByHand(
        TaskDefinition task,
        ManagedState state,
        TaskEvent happened,
        DateTimeOffset now,
        LifecycleRules rules,
        Func<Transition, Transition> change) =>
        TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
            ? happened is TaskEvent.Retried retried && (state.RetryAt is null || retried.Change is not null)
                ? change(transition)
                : transition
            : null;

    /// <summary>Changes the state of a task whose stage was snoozed.</summary>
    private static Transition? ChangeSnooze(
        TaskDefinition task,
        ManagedState state,
        TaskEvent happened,
        DateTimeOffset now,
        LifecycleRules rules,
        Func<ManagedState, ManagedState> change) =>
        TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
            ? happened is TaskEvent.Reported && transition.After.Wait == WaitKind.Snooze
                ? transition with { After = change(transition.After) }
                : transition
            : null;

    /// <summary>Changes the state of a task that was put back into the queue.</summary>
    private static Transition? ChangePutBack(
        TaskDefinition task,
        ManagedState state,
        TaskEvent happened,
        DateTimeOffset now,
        LifecycleRules rules,
        Func<ManagedState, ManagedState> change) =>
        TaskLifecycle.Next(task, state, happened, now, rules) is { } transition
            ? IsPutBack(happened, out _) && transition.After.State == TaskState.Queued
                ? transition with { After = change(transition.After) }
                : transition
            : null;
}
