using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// The rules of <see cref="TaskLifecycle"/> with one rule removed each, named by the condition that is no longer
/// checked. A test that holds a store to the rules must fail with each of them.
/// </summary>
internal static class BrokenRules
{
    /// <summary>Every rule, those of the routing last.</summary>
    public static IReadOnlyList<(string Name, LifecycleFunction Rules, RoutingFunctions? Routing)> All =>
    [
        .. _rules.Select(rule => (rule.Name, rule.Rules, (RoutingFunctions?)null)),
        .. BrokenRoutings.All.Select(rule => (
            rule.Name, (LifecycleFunction)TaskLifecycle.Next, (RoutingFunctions?)rule.Functions)),
    ];

    private static readonly (string Name, LifecycleFunction Rules)[] _rules =
    [
        ("claim", (task, state, happened, now, rules) => happened is TaskEvent.Reported reported
            ? TaskLifecycle.Next(task, state with { Claim = reported.Report.Claim }, happened, now, rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),

        ("stage", (task, state, happened, now, rules) => happened is TaskEvent.Reported reported
            ? TaskLifecycle.Next(
                task, state, new TaskEvent.Reported(reported.Report.With(r => r.Stage, state.Stage)), now, rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),

        (
            "occurrence",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? happened is TaskEvent.NextPeriod && state.QueuedAt is { } queued
                ? next with
                {
                    After = next.After with
                    {
                        NextRun = CronSchedule.Parse(task.Cron!, task.CronTimeZone).Next(queued.AddMinutes(-1)),
                    },
                }
                : next
            : null),

        ("state", (task, state, happened, now, rules) => happened is TaskEvent.Claimed
            ? TaskLifecycle.Next(task, state with { State = TaskState.Queued }, happened, now, rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),

        (
            "retry count",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? happened is TaskEvent.CheckRetry
                ? next with { After = next.After with { Retries = state.Retries } }
                : next
            : null),

        (
            "retry pass",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? happened is TaskEvent.CheckRetry
                ? next with { After = next.After with { Pass = state.Pass, ResultPass = state.ResultPass } }
                : next
            : null),

        ("final failure", (task, state, happened, now, rules) => TaskLifecycle.Next(
            task, state, ChangeFailure(happened, failure =>
                StageOutcome.Failed(failure.Error, failure.ExitCode, retryAfter: failure.RetryAfter)), now, rules)),

        ("delay of a report", (task, state, happened, now, rules) => TaskLifecycle.Next(
            task, state, ChangeFailure(happened, failure =>
                StageOutcome.Failed(failure.Error, failure.ExitCode, failure.IsFinal)), now, rules)),

        ("stage's retries", (task, state, happened, now, rules) => TaskLifecycle.Next(
            WithCommands(task, command => command with { MaxRetries = null }), state, happened, now, rules)),

        ("stage's delay", (task, state, happened, now, rules) => TaskLifecycle.Next(
            WithCommands(task, command => command with { RetryDelay = null }), state, happened, now, rules)),

        (
            "stage's retry count",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? happened is TaskEvent.CheckRetry && next.After.FreeRetries > state.FreeRetries
                ? next with { After = next.After with { StageRetries = state.StageRetries } }
                : next
            : null),

        (
            "stage's renewal",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? next.After.Stage > state.Stage
                ? next with { After = next.After with { StageRetries = state.StageRetries } }
                : next
            : null),

        ("chain", (task, state, happened, now, rules) => happened is TaskEvent.Chained
            ? TaskLifecycle.Next(task, state with { State = TaskState.Finished }, happened, now, rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),

        (
            "interruption",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? happened is TaskEvent.Interrupted ? next with { After = next.After with { Interruptions = 0 } } : next
            : null),

        (
            "notification",
            (task, state, happened, now, rules) => TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? next.After.State == TaskState.Failed ? next with { Notify = false } : next
            : null),

        ("wait", (task, state, happened, now, rules) => happened is TaskEvent.MessageSent
            ? TaskLifecycle.Next(
                task,
                state with { Wait = state.Wait == WaitKind.None ? WaitKind.None : WaitKind.Message },
                happened,
                now,
                rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),

        ("missed run", (task, state, happened, now, rules) => TaskLifecycle.Next(
            happened is TaskEvent.QueueDue ? task with { MissedRuns = MissedRuns.RunLatest } : task,
            state,
            happened,
            now,
            rules)),

        ("snooze: stage", (task, state, happened, now, rules) => TaskLifecycle.Next(
            task, state.Wait == WaitKind.Snooze ? state with { Wait = WaitKind.Timer } : state, happened, now, rules)),

        ("snooze: attempt", (task, state, happened, now, rules) =>
            TaskLifecycle.Next(task, state, happened, now, rules) is { } next
            ? next.After.Wait == WaitKind.Snooze && happened is TaskEvent.Reported
                ? next with { After = next.After with { Retries = next.After.Retries + 1 } }
                : next
            : null),

        ("put-back: place", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { QueuedAt = now })),

        ("put-back: attempt", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { Retries = after.Retries + 1 })),

        ("put-back: interruption", (task, state, happened, now, rules) => ChangePutBack(
            task, state, happened, now, rules, after => after with { Interruptions = after.Interruptions + 1 })),

        ("put-back: hold", (task, state, happened, now, rules) =>
            ChangePutBack(task, state, happened, now, rules, after => after with { Hold = TaskHold.None })),

        ("put-back: third name", (task, state, happened, now, rules) => TaskLifecycle.Next(
            task, state with { PutBacks = Math.Min(1, state.PutBacks) }, happened, now, rules)),

        ("hold", (task, state, happened, now, rules) => happened is TaskEvent.Claimed
            ? TaskLifecycle.Next(task, state with { Hold = TaskHold.None }, happened, now, rules)
            : TaskLifecycle.Next(task, state, happened, now, rules)),
    ];

    private static TaskEvent ChangeFailure(
        TaskEvent happened, Func<StageOutcome.Failure, StageOutcome> change) =>
        happened is TaskEvent.Reported { Report: { Outcome: StageOutcome.Failure failure } report }
            ? new TaskEvent.Reported(report.With(r => r.Outcome, change(failure)))
            : happened;

    private static TaskDefinition WithCommands(TaskDefinition task, Func<TaskCommand, TaskCommand> change) =>
        task with { Commands = [.. task.Commands.Select(change)] };

    private static Transition? ChangePutBack(
        TaskDefinition task,
        ManagedState state,
        TaskEvent happened,
        DateTimeOffset now,
        LifecycleRules rules,
        Func<ManagedState, ManagedState> change)
    {
        var next = TaskLifecycle.Next(task, state, happened, now, rules);
        return next is { After.State: TaskState.Queued } && happened is TaskEvent.Reported
            ? next with { After = change(next.After) }
            : next;
    }
}
