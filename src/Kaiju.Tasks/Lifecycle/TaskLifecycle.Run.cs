namespace Kaiju.Tasks.Lifecycle;

/// <content>Events of a run, from the queue through its stages to its end or its next retry.</content>
public static partial class TaskLifecycle
{
    /// <summary>
    /// The number of put-backs of a stage under different methods after which the run fails. See
    /// <see cref="ManagedState.PutBacks"/>.
    /// </summary>
    public const int MostPutBacks = 3;

    private static Transition? QueueDue(
        TaskDefinition task, ManagedState state, TaskEvent.QueueDue happened, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled)
        {
            return null;
        }

        if (state.State == TaskState.Idle && state.NextRun <= now)
        {
            // Entries of the current run can only come from an import. The new pass must not share their keys.
            var pass = happened.HasResults && state.ResultRun == state.JobId ? state.Pass + 1 : state.Pass;
            var (due, runs) = task.Cron is null ? (state, true) : PeriodicSchedule.Due(task, state, now, rules);
            if (!runs)
            {
                return new Transition { After = due };
            }

            return new Transition
            {
                TakesWaiting = happened.Waiting is not null,
                After = Queued(
                    happened.Waiting is { } waiting ? TaskDeployment.Take(task, waiting) : task,
                    due with
                    {
                        Stage = 0,
                        Pass = pass,
                        ResultRun = state.JobId,
                        ResultPass = pass,
                        Chain = ChainResult.None,
                        Changes = null,
                    },
                    now),
            };
        }

        return state.State == TaskState.Suspended ? new Transition { After = Queued(task, state, now) } : null;
    }

    private static Transition? Claim(
        TaskDefinition task, ManagedState state, TaskEvent.Claimed claim, DateTimeOffset now) =>
        state.State == TaskState.Queued && task.Enabled && claim.MayTake(state)
            ? new Transition
            {
                After = state with
                {
                    State = TaskState.Executing,
                    Hold = TaskHold.None,
                    ExecutorId = claim.ExecutorId,
                    Claim = claim.Claim,

                    // The time in the queue does not count.
                    ExecDeadline = now + task.MaxExecTimeout,
                    StatusChange = now,
                },
            }
            : null;

    private static Transition? Record(
        TaskDefinition task, ManagedState state, StageReport report, DateTimeOffset now, LifecycleRules rules)
    {
        // The fence: a report is current only while the task has its claim and its stage. Every event that ends or
        // queues a run changes one of them.
        if (state.Claim != report.Claim || state.Stage != report.Stage)
        {
            return null;
        }

        var started = now - report.Elapsed;
        switch (report.Outcome)
        {
            case StageOutcome.Done done:
                return Complete(task, state, Entry(state, started, now, report.Claim, done.Result), report.Id, now);

            case StageOutcome.Failure failure:
                var entry = Entry(state, started, now, report.Claim, default, failure.Error);
                var retryAt = RetryAt(task, state, now, rules, failure);
                return Fail(task, state, failure.Error, failure.ExitCode, retryAt, report.Id, now) with
                {
                    Entry = entry,
                };

            case StageOutcome.Wait wait:
                return new Transition
                {
                    After = Released(state, TaskState.Waiting, report.Id, now) with
                    {
                        Wait = wait.For,
                        Snoozes = wait.For == WaitKind.Snooze ? state.Snoozes + 1 : state.Snoozes,
                        WaitDeadline = now + wait.Duration,
                    },
                };

            case StageOutcome.Unknown unknown:
                return PutBack(task, state, unknown.Method, report, now, rules);

            default:
                throw new InvalidOperationException($"There is no rule for {report.Outcome}.");
        }
    }

    /// <summary>
    /// Returns a task to its place in the queue, held until an executor that knows the command claims it. If its method
    /// is another one each time, no executor may ever know it: a method that depends on the executor can do that.
    /// </summary>
    private static Transition PutBack(
        TaskDefinition task,
        ManagedState state,
        string method,
        StageReport report,
        DateTimeOffset now,
        LifecycleRules rules)
    {
        var isSame = state.PutBacks > 0 && state.Method == method;
        var putBacks = isSame ? state.PutBacks : state.PutBacks + 1;
        if (putBacks < MostPutBacks)
        {
            return new Transition
            {
                After = Released(state, TaskState.Queued, report.Id, now) with
                {
                    Hold = TaskHold.UnknownCommand,
                    Method = method,
                    PutBacks = putBacks,
                    ExecDeadline = now + task.MaxExecTimeout,
                },
            };
        }

        var error = Error(
            TaskErrorKind.UnknownCommand,
            $"{putBacks} executors filled the method of stage {state.Stage} with different names, the last one with "
                + $"\"{method}\". None of these executors knew its command.");
        var failed = state with { PutBacks = 0 };
        return Fail(
            task,
            failed,
            error,
            TaskExitCode.ExecutionError,
            RetryAt(task, state, now, rules),
            report.Id,
            now) with
        {
            Entry = Entry(state, now - report.Elapsed, now, report.Claim, default, error),
        };
    }

    private static Transition? GiveBack(ManagedState state, DateTimeOffset now) =>
        state.State == TaskState.Executing
            ? new Transition { After = Released(state, TaskState.Suspended, null, now) }
            : null;

    private static Transition? Interrupt(
        TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (state.State != TaskState.Executing)
        {
            return null;
        }

        var interrupted = state with { Interruptions = state.Interruptions + 1 };
        if (interrupted.Interruptions < rules.MaxInterruptions)
        {
            return new Transition { After = Released(interrupted, TaskState.Suspended, null, now) };
        }

        var error = Error(
            TaskErrorKind.Interrupted,
            $"{interrupted.Interruptions} executors died during this run, the last one at stage {state.Stage}. It is "
                + "not retried, since more executors might die. Reset the task to try again.");
        return Fail(task, interrupted, error, TaskExitCode.Aborted, null, null, now);
    }

    private static Transition? AbortIfOverdue(
        TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled || !(OverdueSince(task, state, rules) < now))
        {
            return null;
        }

        var error = Error(TaskErrorKind.Timeout, state.State switch
        {
            TaskState.Queued => "No executor claimed the task within its max_exec_timeout of "
                + $"{task.MaxExecTimeout!.Value.TotalSeconds} s.",
            TaskState.Suspended => $"No manager queued the task again within {rules.SuspendedLifetime}.",
            _ => $"The run missed its deadline at stage {state.Stage}: max_exec_timeout is "
                + $"{task.MaxExecTimeout!.Value.TotalSeconds} s.",
        });
        var failed = Fail(task, state, error, TaskExitCode.Aborted, RetryAt(task, state, now, rules), null, now);
        return state.State == TaskState.Executing
            ? failed with { Entry = Entry(state, state.StatusChange, now, state.Claim, default, error) }
            : failed;
    }

    /// <summary>
    /// The last time at which the task is not overdue; null if it cannot become overdue in its present state.
    /// </summary>
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
            TaskState.Executing => (state.ExecDeadline ?? state.QueuedAt + task.MaxExecTimeout) + rules.AbortGrace,
            TaskState.Queued when rules.AbortOverdueQueued => state.QueuedAt + task.MaxExecTimeout + rules.AbortGrace,
            TaskState.Suspended => state.StatusChange + rules.SuspendedLifetime,
            _ => null,
        };
    }

    /// <summary>
    /// The first time at which the task is overdue: one tick after its deadline. Null if it cannot become overdue in
    /// its present state.
    /// </summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="rules">The host's rules.</param>
    public static DateTimeOffset? OverdueFrom(TaskDefinition task, ManagedState state, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Enabled ? OverdueSince(task, state, rules)?.AddTicks(1) : null;
    }

    private static Transition? RetryIfDue(
        TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        if (!task.Enabled || state.State != TaskState.Failed || !(state.RetryAt <= now))
        {
            return null;
        }

        var plan = RetryPlan.Of(task, state, now);
        if (plan.IsTooLate(TimeSpan.Zero, rules))
        {
            // The failure is final now. A notification replaces the earlier one, which announced a retry.
            return new Transition { After = state with { RetryAt = null }, Notify = task.Notify };
        }

        return new Transition { After = Queued(task, Retried(task, state, plan), now) };
    }

    /// <summary>The state in which a retry begins: at the same stage, or at the first one in a new pass.</summary>
    private static ManagedState Retried(TaskDefinition task, ManagedState state, RetryPlan plan)
    {
        if (plan.IsOfStage)
        {
            return state with { FreeRetries = state.FreeRetries + 1, StageRetries = state.StageRetries + 1 };
        }

        var retries = state.Retries + 1;
        return task.RestartPolicy == RestartPolicy.Current
            ? state with { Retries = retries, StageRetries = state.StageRetries + 1 }
            : state with
            {
                Retries = retries,
                Stage = 0,
                Pass = state.Pass + 1,
                StageRetries = 0,
                PutBacks = 0,
                ResultRun = state.JobId,
                ResultPass = state.Pass + 1,
            };
    }
}
