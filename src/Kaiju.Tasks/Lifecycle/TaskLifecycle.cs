using System.Text.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// All rules about changes of a task, as one pure function of the task, an event and the store's time. The memory store
/// applies its transitions directly. The SQL stores write them with guarded statements, and tests compare them with
/// this function. No other code decides a next state.
/// </summary>
public static partial class TaskLifecycle
{
    /// <summary>The state of a new task. A task that is due is QUEUED at once.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="jobId">The id of its first run.</param>
    /// <param name="now">The store's time.</param>
    public static ManagedState Create(TaskDefinition task, string jobId, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (StartsBySchedule(task))
        {
            var waiting = new ManagedState { JobId = jobId, ResultRun = jobId, StatusChange = now };
            return PeriodicSchedule.Plan(task, waiting, now) ?? waiting;
        }

        // Made at once, without a copy by Queued: most tasks are queued by their creation.
        var start = UnscheduledStart(task, now);
        var isQueued = task.Enabled && start <= now;
        return new ManagedState
        {
            State = isQueued ? TaskState.Queued : TaskState.Idle,
            JobId = jobId,
            ResultRun = jobId,
            StatusChange = now,
            NextRun = start,
            Method = isQueued ? MethodOf(task.Commands[0].Method) : null,
            QueuedAt = isQueued ? now : null,
            ExecDeadline = isQueued ? now + task.MaxExecTimeout : null,
        };
    }

    /// <summary>
    /// The transition that an event causes; null if it does not change the task in its present state.
    /// </summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="happened">The event.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="rules">The host's rules.</param>
    public static Transition? Next(
        TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(rules);
        return happened switch
        {
            TaskEvent.QueueDue due => QueueDue(task, state, due, now, rules),
            TaskEvent.Claimed claim => Claim(task, state, claim, now),
            TaskEvent.Reported reported => Record(task, state, reported.Report, now, rules),
            TaskEvent.GivenBack => GiveBack(state, now),
            TaskEvent.Interrupted => Interrupt(task, state, now, rules),
            TaskEvent.CheckOverdue => AbortIfOverdue(task, state, now, rules),
            TaskEvent.NextPeriod period => StartNextPeriod(task, state, period.JobId, now),
            TaskEvent.CheckWait => EndWaitIfOver(task, state, now),
            TaskEvent.MessageSent message => TakeMessage(task, state, message.Data, now),
            TaskEvent.CheckRetry => RetryIfDue(task, state, now, rules),
            TaskEvent.Retried retried => Retry(task, state, retried, now, rules),
            TaskEvent.Cancelled => Cancel(task, state, now),
            TaskEvent.Chained chained => StartChained(task, state, chained.JobId, now),
            TaskEvent.Reset reset => Reset(state, reset.JobId, now),
            _ => throw new ArgumentOutOfRangeException(nameof(happened), happened, "There is no rule for this event."),
        };
    }

    /// <summary>
    /// True if the report was recorded before. It then gets the same answer, even if the task has changed since.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="entry">
    /// The entry of the report's stage in the task's history, if the report's claim has recorded one.
    /// </param>
    /// <param name="report">The report.</param>
    public static bool IsRecorded(ManagedState state, StageEntry? entry, ReportId report)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.LastReport == report
            || (report.Kind == ReportKind.Completed && entry is { Error: null } && entry.Claim == report.Claim
                && entry.Stage == report.Stage);
    }

    /// <summary>The state of an IDLE task that waits for its first run, as its definition says.</summary>
    internal static ManagedState FirstRun(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        StartsBySchedule(task)
        ? PeriodicSchedule.Plan(task, state, now) ?? state with { NextRun = null }
        : state with { NextRun = UnscheduledStart(task, now) };

    private static bool StartsBySchedule(TaskDefinition task) => task is { Cron: not null, RunAt: null };

    /// <summary>
    /// The first run of a task that its schedule does not start; null if only a chain or a reset starts it.
    /// </summary>
    private static DateTimeOffset? UnscheduledStart(TaskDefinition task, DateTimeOffset now) =>
        task.RunAt == TaskDefinition.OnDemand ? null : task.RunAt ?? now;

    /// <summary>The state of a task in the common queue; the step that stores it decides whether it is held.</summary>
    private static ManagedState Queued(TaskDefinition task, ManagedState state, DateTimeOffset now) => state with
    {
        State = TaskState.Queued,
        Hold = TaskHold.None,
        Method = MethodOf(task, state),
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

    /// <summary>The method of the present stage; null for a template that no executor has filled yet.</summary>
    internal static string? MethodOf(TaskDefinition task, ManagedState state) =>
        MethodOf(task.Commands[state.Stage].Method) ?? (state.PutBacks > 0 ? state.Method : null);

    /// <summary>
    /// The method if it is not a template. It is empty if this version cannot read it; then any executor may try.
    /// </summary>
    private static string? MethodOf(string method) => method.Length > 0 && Template.IsPlain(method) ? method : null;

    /// <summary>Completes a stage: the task moves to the next stage, or it has finished.</summary>
    private static Transition Complete(
        TaskDefinition task, ManagedState state, StageEntry entry, ReportId? report, DateTimeOffset now)
    {
        if (state.Stage < task.Commands.Count - 1)
        {
            return new Transition
            {
                After = state with
                {
                    Stage = state.Stage + 1,
                    StageRetries = 0,
                    PutBacks = 0,
                    LastReport = report ?? state.LastReport,
                },
                Entry = entry,
            };
        }

        // Released, and ended, in one copy: every task that finishes is copied here.
        var finished = state with
        {
            State = TaskState.Finished,
            Hold = TaskHold.None,
            LastReport = report ?? state.LastReport,
            ExecutorId = null,
            Claim = null,
            Wait = WaitKind.None,
            WaitDeadline = null,
            StatusChange = now,
            StageRetries = 0,
            PutBacks = 0,
            ExitCode = TaskExitCode.Success,
            NextRun = PeriodicSchedule.WaitingStart(task, state),
            RetryAt = null,
            Error = null,
        };
        return new Transition { After = finished, Entry = entry, Notify = task.Notify, StartNext = task.NextTask };
    }

    private static Transition Fail(
        TaskDefinition task,
        ManagedState state,
        TaskError error,
        TaskExitCode exitCode,
        DateTimeOffset? retryAt,
        ReportId? report,
        DateTimeOffset now) =>
        new()
        {
            After = Released(state, TaskState.Failed, report, now) with
            {
                ExitCode = exitCode,
                Error = error,
                NextRun = PeriodicSchedule.WaitingStart(task, state),
                RetryAt = retryAt,
            },
            Notify = task.Notify,
        };

    /// <summary>
    /// True if the task is not queued, executed, suspended or waiting: it may be started or replaced.
    /// </summary>
    /// <param name="state">The state.</param>
    public static bool IsAtRest(ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.State is TaskState.Idle or TaskState.Finished or TaskState.Failed;
    }

    /// <summary>
    /// True if the task may be deleted once it is old enough: its run has ended, and it is neither periodic nor marked
    /// <see cref="TaskDefinition.System"/>.
    /// </summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    public static bool IsDisposable(TaskDefinition task, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(state);
        return state.HasEnded && task is { Cron: null, System: false };
    }

    private static DateTimeOffset? RetryAt(
        TaskDefinition task,
        ManagedState state,
        DateTimeOffset now,
        LifecycleRules rules,
        StageOutcome.Failure? failure = null) =>
        now + RetryPlan.Of(task, state, now).TimeToRetry(state.JobId, state.Attempt, TimeSpan.Zero, failure, rules);

    /// <summary>
    /// A new run from its first stage. The record shows the outcome of the run before until the new run is queued.
    /// </summary>
    private static ManagedState Fresh(ManagedState state, string jobId, DateTimeOffset now) =>
        Released(state, TaskState.Idle, null, now) with
        {
            JobId = jobId,
            Stage = 0,
            Pass = 0,
            Retries = 0,
            FreeRetries = 0,
            StageRetries = 0,
            Snoozes = 0,
            Interruptions = 0,
            PutBacks = 0,
            RetryAt = null,
        };

    /// <summary>The state without a claim and without a wait.</summary>
    private static ManagedState Released(ManagedState state, TaskState next, ReportId? report, DateTimeOffset now) =>
        state with
        {
            State = next,
            Hold = TaskHold.None,
            LastReport = report ?? state.LastReport,
            ExecutorId = null,
            Claim = null,
            Wait = WaitKind.None,
            WaitDeadline = null,
            StatusChange = now,
        };

    private static StageEntry Entry(
        ManagedState state,
        DateTimeOffset started,
        DateTimeOffset now,
        Guid? claim,
        JsonElement result,
        TaskError? error = null) => new()
        {
            JobId = state.JobId,
            Pass = state.Pass,
            Stage = state.Stage,
            Attempt = state.Attempt,
            Started = started,
            Finished = now,
            Claim = claim,
            Result = result,
            Error = error,
        };

    private static TaskError Error(string kind, string message) => TaskError.Create(kind, message);
}
