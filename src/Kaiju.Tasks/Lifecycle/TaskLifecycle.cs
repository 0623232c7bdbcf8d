using System.Text.Json;
using Kaiju.Tasks.Scheduling;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Every rule about how a task changes, as one pure function of the task, an event and the store's time. In-memory stores apply
/// what it says; SQL stores carry the same out as guarded statements and are held to it by tests. Nothing else decides a next state.
/// </summary>
public static class TaskLifecycle
{
    /// <summary>The state of a new task. One that is due at once is QUEUED at once.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="jobId">The id of its first run.</param>
    /// <param name="now">The store's time.</param>
    public static ManagedState Create(TaskDefinition task, string jobId, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(task);
        var state = new ManagedState
        {
            JobId = jobId,
            ResultRun = jobId,
            StatusChange = now,
            NextRun = FirstRun(task, now),
        };
        return task.Enabled && state.NextRun <= now ? Queued(task, state, now) : state;
    }

    /// <summary>What an event makes of a task; null if it changes nothing in the task's present state.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="happened">The event.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="rules">The host's rules.</param>
    public static Transition? Next(TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(rules);
        return happened switch
        {
            TaskEvent.QueueDue due => QueueDue(task, state, due.HasResults, now, rules),
            TaskEvent.Claimed claim => Claim(task, state, claim, now),
            TaskEvent.Reported reported => Record(task, state, reported.Report, now, rules),
            TaskEvent.GivenBack => GiveBack(state, now),
            TaskEvent.Interrupted => Interrupt(task, state, now, rules),
            TaskEvent.CheckOverdue => AbortIfOverdue(task, state, now, rules),
            TaskEvent.NextPeriod period => StartNextPeriod(task, state, period.JobId, now),
            TaskEvent.CheckWait => EndWaitIfOver(task, state, now),
            TaskEvent.MessageSent message => TakeMessage(task, state, message.Data, now),
            TaskEvent.CheckRetry => RetryIfDue(task, state, now, rules),
            TaskEvent.Cancelled => Cancel(task, state, now),
            TaskEvent.Chained chained => StartChained(task, state, chained.JobId, now),
            TaskEvent.Reset reset => Reset(state, reset.JobId, now),
            _ => throw new ArgumentOutOfRangeException(nameof(happened), happened, "There is no rule for this event."),
        };
    }

    /// <summary>True if the report was carried out before: then it is answered as it was then, whatever has happened since.</summary>
    /// <param name="state">The state.</param>
    /// <param name="entry">The row of the report's stage in the task's history, if there is one under the report's claim.</param>
    /// <param name="report">The report.</param>
    public static bool IsRecorded(ManagedState state, StageEntry? entry, ReportId report)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.LastReport == report
            || (report.Kind == ReportKind.Completed && entry is { Error: null } && entry.Claim == report.Claim && entry.Stage == report.Stage);
    }

    private static DateTimeOffset? FirstRun(TaskDefinition task, DateTimeOffset now)
    {
        if (task.RunAt == TaskDefinition.OnDemand)
        {
            return null;
        }

        return task.RunAt ?? (task.Cron is null ? now : CronSchedule.Parse(task.Cron, task.CronTimeZone).Next(now));
    }

    private static Transition? QueueDue(TaskDefinition task, ManagedState state, bool hasResults, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled)
        {
            return null;
        }

        if (state.State == TaskState.Idle && state.NextRun <= now)
        {
            // Rows under the current run can only be leftovers of an import: the new go must not share their keys.
            var pass = hasResults && state.ResultRun == state.JobId ? state.Pass + 1 : state.Pass;
            var queued = Queued(task, state with { Stage = 0, Pass = pass, ResultRun = state.JobId, ResultPass = pass, Chain = ChainResult.None }, now);
            return new Transition(task.Cron is null ? queued : PeriodicSchedule.Due(task, queued, now, rules));
        }

        return state.State == TaskState.Suspended ? new Transition(Queued(task, state, now)) : null;
    }

    private static ManagedState Queued(TaskDefinition task, ManagedState state, DateTimeOffset now) => state with
    {
        State = TaskState.Queued,
        QueuedAt = now,
        ExecDeadline = now + task.MaxExecTimeout,
        Wait = WaitKind.None,
        WaitDeadline = null,
        RetryAt = null,
        ExitCode = null,
        Error = null,
        ExecutorId = null,
        Claim = null,
        StatusChange = now,
    };

    private static Transition? Claim(TaskDefinition task, ManagedState state, TaskEvent.Claimed claim, DateTimeOffset now) =>
        state.State == TaskState.Queued && task.Enabled
            ? new Transition(state with
            {
                State = TaskState.Executed,
                ExecutorId = claim.ExecutorId,
                Claim = claim.Claim,

                // Waiting in the queue is not executing.
                ExecDeadline = now + task.MaxExecTimeout,
                StatusChange = now,
            })
            : null;

    private static Transition? Record(TaskDefinition task, ManagedState state, StageReport report, DateTimeOffset now, LifecycleRules rules)
    {
        // The fence: the claim says who, the stage says what is next. Whatever ends or requeues a run changes one of them.
        if (state.Claim != report.Claim || state.Stage != report.Stage)
        {
            return null;
        }

        var held = state with { LastReport = report.Id };
        var started = now - report.Elapsed;
        switch (report.Outcome)
        {
            case StageOutcome.Done done:
                return Complete(task, held, Entry(state, started, now, report.Claim, done.Result), now);

            case StageOutcome.Failure failure:
                var entry = Entry(state, started, now, report.Claim, default) with { Error = failure.Error };
                return Fail(task, held, failure.Error, failure.ExitCode, RetryAt(task, state, now, rules), now) with { Entry = entry };

            case StageOutcome.Wait wait:
                return new Transition(Released(held, TaskState.Waiting, now) with
                {
                    Wait = wait.For,
                    WaitDeadline = now + wait.Duration,
                });

            default:
                throw new InvalidOperationException($"There is no rule for {report.Outcome}.");
        }
    }

    /// <summary>The stage is done: on to the next one in the same state, or the end.</summary>
    private static Transition Complete(TaskDefinition task, ManagedState state, StageEntry entry, DateTimeOffset now)
    {
        if (state.Stage < task.Commands.Count - 1)
        {
            return new Transition(state with { Stage = state.Stage + 1 }) { Entry = entry };
        }

        var finished = Released(state, TaskState.Finished, now) with
        {
            ExitCode = TaskExitCode.Success,
            NextRun = null,
            RetryAt = null,
            Error = null,
        };
        return new Transition(finished) { Entry = entry, Notify = task.Notify, StartNext = task.NextTask };
    }

    private static Transition Fail(TaskDefinition task, ManagedState state, TaskError error, TaskExitCode exitCode, DateTimeOffset? retryAt, DateTimeOffset now) =>
        new(Released(state, TaskState.Failed, now) with
        {
            ExitCode = exitCode,
            Error = error,
            NextRun = null,
            RetryAt = retryAt,
        })
        {
            Notify = task.Notify,
        };

    private static Transition? GiveBack(ManagedState state, DateTimeOffset now) =>
        state.State == TaskState.Executed ? new Transition(Released(state, TaskState.Suspended, now)) : null;

    private static Transition? Interrupt(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (state.State != TaskState.Executed)
        {
            return null;
        }

        var interrupted = state with { Interruptions = state.Interruptions + 1 };
        if (interrupted.Interruptions < rules.MaxInterruptions)
        {
            return new Transition(Released(interrupted, TaskState.Suspended, now));
        }

        var error = Error(
            TaskErrorKind.Interrupted,
            $"{interrupted.Interruptions} executors died over this run, the last one at stage {state.Stage}; it is parked so that it takes down no more. Reset the task to try again.");
        return Fail(task, interrupted, error, TaskExitCode.Aborted, null, now);
    }

    private static Transition? AbortIfOverdue(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled || !(OverdueSince(task, state, rules) < now))
        {
            return null;
        }

        var error = Error(TaskErrorKind.Timeout, state.State switch
        {
            TaskState.Queued => $"No executor claimed the task within its max_exec_timeout of {task.MaxExecTimeout!.Value.TotalSeconds} s.",
            TaskState.Suspended => $"No manager queued the task again within {rules.SuspendedLifetime}.",
            _ => $"The run missed its deadline at stage {state.Stage}: max_exec_timeout is {task.MaxExecTimeout!.Value.TotalSeconds} s.",
        });
        var failed = Fail(task, state, error, TaskExitCode.Aborted, RetryAt(task, state, now, rules), now);
        return state.State == TaskState.Executed
            ? failed with { Entry = Entry(state, state.StatusChange, now, state.Claim, default) with { Error = error } }
            : failed;
    }

    /// <summary>After this time the task is overdue; null if it cannot become so in its present state.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="rules">The host's rules.</param>
    public static DateTimeOffset? OverdueSince(TaskDefinition task, ManagedState state, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(rules);
        return state.State switch
        {
            TaskState.Executed => (state.ExecDeadline ?? state.QueuedAt + task.MaxExecTimeout) + rules.AbortGrace,
            TaskState.Queued when rules.AbortOverdueQueued => state.QueuedAt + task.MaxExecTimeout + rules.AbortGrace,
            TaskState.Suspended => state.StatusChange + rules.SuspendedLifetime,
            _ => null,
        };
    }

    private static Transition? StartNextPeriod(TaskDefinition task, ManagedState state, string jobId, DateTimeOffset now)
    {
        if (!task.Enabled || task.Cron is null || !state.HasEnded)
        {
            return null;
        }

        try
        {
            return PeriodicSchedule.Next(task, state, now) is { } next
                ? new Transition(PeriodicSchedule.Counted(task, Fresh(state, jobId, now), now) with { NextRun = next }) { ArchivesRun = true }
                : null;
        }
        catch (FormatException e)
        {
            // A schedule that was good where the task was created, such as one in a time zone that this machine does not know.
            // The task rests and says why, instead of standing first in every manager's way.
            var error = Error(TaskErrorKind.Schedule, e.Message);
            return new Transition(Fresh(state, jobId, now) with { NextRun = null, Error = error, ExitCode = null }) { ArchivesRun = true };
        }
    }

    private static Transition? EndWaitIfOver(TaskDefinition task, ManagedState state, DateTimeOffset now)
    {
        if (!task.Enabled || state.State != TaskState.Waiting || !(state.WaitDeadline <= now))
        {
            return null;
        }

        if (state.Wait == WaitKind.Timer)
        {
            return EndWait(task, state, JsonText.Null, now);
        }

        var error = Error(TaskErrorKind.MessageTimeout, $"No message came for stage {state.Stage} until {state.WaitDeadline:u}.");
        return Fail(task, state, error, TaskExitCode.Aborted, null, now) with
        {
            Entry = Entry(state, state.StatusChange, now, null, default) with { Error = error },
        };
    }

    private static Transition? TakeMessage(TaskDefinition task, ManagedState state, JsonElement data, DateTimeOffset now) =>
        state.State == TaskState.Waiting && state.Wait == WaitKind.Message && !(state.WaitDeadline <= now) ? EndWait(task, state, data, now) : null;

    /// <summary>What was waited for is the stage's result; the rest of the task is for an executor again.</summary>
    private static Transition EndWait(TaskDefinition task, ManagedState state, JsonElement result, DateTimeOffset now)
    {
        var done = Complete(task, state, Entry(state, state.StatusChange, now, null, result), now);
        return done.After.HasEnded ? done : done with { After = Released(done.After, TaskState.Suspended, now) };
    }

    private static Transition? RetryIfDue(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled || state.State != TaskState.Failed || !(state.RetryAt <= now))
        {
            return null;
        }

        if (state.QueuedAt + rules.SuspendedLifetime < now)
        {
            // Now it is final, and whoever was told of a failure with a retry to come is told so.
            return new Transition(state with { RetryAt = null }) { Notify = task.Notify };
        }

        var retry = Queued(task, state, now) with { Retries = state.Retries + 1 };
        return task.RestartPolicy == RestartPolicy.Current
            ? new Transition(retry)
            : new Transition(retry with { Stage = 0, Pass = state.Pass + 1, ResultRun = state.JobId, ResultPass = state.Pass + 1 });
    }

    private static DateTimeOffset? RetryAt(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (state.Retries >= task.MaxRetries || state.QueuedAt + rules.SuspendedLifetime < now)
        {
            return null;
        }

        return now + (task.RetryDelay ?? rules.RetryDelay.GetDelay(state.JobId, state.Retries + 1));
    }

    private static Transition? Cancel(TaskDefinition task, ManagedState state, DateTimeOffset now)
    {
        if (state.HasEnded)
        {
            return null;
        }

        // A run that was not queued yet has no results of its own to show beside its outcome.
        var shown = state.State == TaskState.Idle
            ? state with { Stage = 0, ResultRun = state.JobId, ResultPass = state.Pass }
            : state;
        var cancelled = Fail(task, shown, Error(TaskErrorKind.Cancelled, $"Cancelled while {Words<TaskState>.Of(state.State)}."), TaskExitCode.Aborted, null, now);
        return state.State == TaskState.Idle ? cancelled with { After = cancelled.After with { NextRun = state.NextRun } } : cancelled;
    }

    /// <summary>Whether a task can be started by one that finished, and if not, why.</summary>
    /// <param name="task">The definition of the task to start; null if there is none.</param>
    /// <param name="state">Its state.</param>
    public static ChainResult JudgeChain(TaskDefinition? task, ManagedState? state) => (task, state) switch
    {
        (null, _) or (_, null) => ChainResult.Missing,
        ({ Enabled: false }, _) => ChainResult.Disabled,
        (_, { State: TaskState.Idle or TaskState.Finished or TaskState.Failed }) => ChainResult.Started,
        _ => ChainResult.Busy,
    };

    private static Transition? StartChained(TaskDefinition task, ManagedState state, string jobId, DateTimeOffset now)
    {
        if (JudgeChain(task, state) != ChainResult.Started)
        {
            return null;
        }

        return state.State == TaskState.Idle
            ? new Transition(state with { NextRun = now })
            : new Transition(Fresh(state, jobId, now) with { NextRun = now }) { ArchivesRun = true };
    }

    private static Transition Reset(ManagedState state, string jobId, DateTimeOffset now) =>
        new(Fresh(state, jobId, now) with
        {
            NextRun = now,
            ResultRun = jobId,
            ResultPass = 0,
            ExecDeadline = null,
            ExitCode = null,
            Error = null,
            Chain = ChainResult.None,
        })
        {
            ArchivesRun = state.HasEnded,
        };

    /// <summary>A new run from its first stage. What is shown of the run before stays until the new one is queued.</summary>
    private static ManagedState Fresh(ManagedState state, string jobId, DateTimeOffset now) => Released(state, TaskState.Idle, now) with
    {
        JobId = jobId,
        Stage = 0,
        Pass = 0,
        Retries = 0,
        Interruptions = 0,
        RetryAt = null,
    };

    /// <summary>Nobody holds the task any more, and it waits for nothing.</summary>
    private static ManagedState Released(ManagedState state, TaskState next, DateTimeOffset now) => state with
    {
        State = next,
        ExecutorId = null,
        Claim = null,
        Wait = WaitKind.None,
        WaitDeadline = null,
        StatusChange = now,
    };

    private static StageEntry Entry(ManagedState state, DateTimeOffset started, DateTimeOffset now, Guid? claim, JsonElement result) => new()
    {
        JobId = state.JobId,
        Pass = state.Pass,
        Stage = state.Stage,
        Attempt = state.Attempt,
        Started = started,
        Finished = now,
        Claim = claim,
        Result = result,
    };

    private static TaskError Error(string kind, string message) => TaskError.Create(kind, message);
}
