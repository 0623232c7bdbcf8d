using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The guarantees about every single transition.</summary>
internal sealed class TransitionChecks(Checker checker)
{
    private readonly List<(string TaskId, string JobId, TaskState State, bool IsFinal)> _notifications = [];
    private readonly List<string> _chains = [];

    /// <summary>Checks a transition and updates the record of the task.</summary>
    public ManagedState Check(ObservedTask task, TaskEvent happened, Transition transition)
    {
        var (before, after) = (task.State, transition.After);
        Tell(task, happened, before, after);
        Expect(
            happened is not TaskEvent.Reported { Report: var report } || (report.Claim == before.Claim
                && report.Stage == before.Stage),
            "I3",
            () => $"{task.Id}: a report of another claim or stage was applied at {before}");
        Expect(
            IsLegal(happened, before.State, after.State),
            "I4",
            () => $"{task.Id}: {happened.GetType().Name} took it from {before.State} to {after.State}");
        Expect(
            after.State == TaskState.Executing
                ? after.Claim is not null && (happened is TaskEvent.Claimed || after.Claim == before.Claim)
                : after.Claim is null,
            "I3",
            () => $"{task.Id} is {after.State} with the claim {after.Claim} after {before.Claim}");
        if (transition.Entry is { Error: null } entry)
        {
            CheckResult(task, before, after, entry);
        }

        Follow(task, happened, before, after);
        CheckRun(task, happened, before, after);
        ExpectNotification(task, happened, before, after);
        return ExpectChain(task, happened, after);
    }

    /// <summary>Checks at the end of a step that all its effects on other tasks have happened.</summary>
    public void EndStep()
    {
        Expect(
            _chains.Count == 0,
            "chain",
            () => $"{string.Join(", ", _chains)} was not started by the end of the task before");
        _chains.Clear();
    }

    public void CompareNotifications(IReadOnlyList<TaskNotification> notifications)
    {
        for (var i = 0; i < Math.Max(notifications.Count, _notifications.Count); i++)
        {
            var left = i < notifications.Count
                ? (notifications[i].TaskId, notifications[i].JobId, notifications[i].State, notifications[i].IsFinal)
                : default;
            var expected = i < _notifications.Count ? _notifications[i] : default;
            Expect(left == expected, "I9", () => $"notification {i} is {left} and should be {expected}");
        }
    }

    private static bool IsLegal(TaskEvent happened, TaskState from, TaskState to) => (happened, from, to) switch
    {
        (TaskEvent.QueueDue, TaskState.Idle or TaskState.Suspended, TaskState.Queued) => true,
        (TaskEvent.QueueDue, TaskState.Idle, TaskState.Idle) => true,
        (TaskEvent.Claimed, TaskState.Queued, TaskState.Executing) => true,
        (
            TaskEvent.Reported,
            TaskState.Executing,
            TaskState.Executing or TaskState.Waiting or TaskState.Finished or TaskState.Failed) => true,
        (
            TaskEvent.Reported { Report.Outcome: StageOutcome.Unknown },
            TaskState.Executing,
            TaskState.Queued) => true,
        (TaskEvent.GivenBack, TaskState.Executing, TaskState.Suspended) => true,
        (TaskEvent.Interrupted, TaskState.Executing, TaskState.Suspended or TaskState.Failed) => true,
        (TaskEvent.CheckOverdue, TaskState.Executing, TaskState.Failed) => true,
        (TaskEvent.NextPeriod, TaskState.Finished or TaskState.Failed, TaskState.Idle) => true,
        (TaskEvent.CheckWait, TaskState.Waiting, TaskState.Suspended or TaskState.Finished or TaskState.Failed) => true,
        (TaskEvent.MessageSent, TaskState.Waiting, TaskState.Suspended or TaskState.Finished) => true,
        (TaskEvent.CheckRetry, TaskState.Failed, TaskState.Queued) => true,
        (TaskEvent.Cancelled, not TaskState.Finished, TaskState.Failed) => true,
        (TaskEvent.Chained, TaskState.Idle or TaskState.Finished or TaskState.Failed, TaskState.Idle) => true,
        (TaskEvent.Reset, _, TaskState.Idle) => true,
        _ => false,
    };

    /// <summary>I1 and I2: one result for each stage, in order, equal to that of the stage's own execution.</summary>
    private void CheckResult(ObservedTask task, ManagedState before, ManagedState after, StageEntry entry)
    {
        var results = task.ResultsOf(before.JobId, before.Pass);
        Expect(
            entry.JobId == before.JobId && entry.Pass == before.Pass,
            "I1",
            () => $"{task.Id}: a result of {entry.JobId}/{entry.Pass} in {before.JobId}/{before.Pass}");
        Expect(
            entry.Stage >= results.Count,
            "I1",
            () => $"{task.Id}: stage {entry.Stage} of pass {entry.Pass} is recorded twice");
        Expect(
            entry.Stage <= results.Count,
            "I2",
            () => $"{task.Id}: stage {entry.Stage} is recorded after {results.Count} results");
        checker.Executions.CheckRecorded(task, entry, results);
        results.Add(entry.Result);
        Expect(
            after.State == TaskState.Finished
                ? results.Count == task.Definition.Commands.Count
                : after.Stage == results.Count,
            "I1",
            () => $"{task.Id}: {after.State} at stage {after.Stage} with {results.Count} of "
                + $"{task.Definition.Commands.Count} results");
    }

    /// <summary>
    /// I11: no executor is expelled for time in which the store was away, nor within a lifetime after its return. Where
    /// outages are the only fault, no executor is expelled at all.
    /// </summary>
    private void CheckOutage(ObservedTask task)
    {
        var (outages, asOf) = (checker.Outages, checker.ExpelsAsOf);
        Expect(
            asOf <= outages.From || asOf > outages.Until + checker.Options.Rules.ExecutorLifetime,
            "I11",
            () => $"{task.Id} is interrupted as of {asOf:O}; the store was away from {outages.From:O} until "
                + $"{outages.Until:O}");
        Expect(!outages.IsAllThereIs, "I11", () => $"{task.Id} is interrupted though its executor lives");
    }

    /// <summary>Whether the event may occur at this time.</summary>
    private void Follow(ObservedTask task, TaskEvent happened, ManagedState before, ManagedState after)
    {
        var now = checker.Now;
        switch (happened)
        {
            case TaskEvent.QueueDue when after.State == TaskState.Idle:
                CheckSkipped(task, before, after);
                break;
            case TaskEvent.QueueDue when before.State == TaskState.Idle:
                Expect(before.NextRun <= now, "I6", () => $"{task.Id} is begun before {before.NextRun:O}");
                CheckOccurrence(task, after);
                break;
            case TaskEvent.Interrupted:
                task.Interruptions++;
                checker.Interruptions++;
                Expect(
                    !checker.Pings.TryGetValue(before.ExecutorId!, out var ping)
                        || ping + checker.Options.Rules.ExecutorLifetime < checker.ExpelsAsOf,
                    "I7",
                    () => $"{task.Id} is interrupted though its executor pinged at {ping:O}");
                CheckOutage(task);
                Expect(
                    (after.State == TaskState.Failed) == (task.Interruptions >= checker.Options.MaxInterruptions),
                    "I5",
                    () => $"{task.Id} is {after.State} after {task.Interruptions} interruptions");
                break;
            case TaskEvent.GivenBack:
                Expect(
                    checker.GivesBack == before.ExecutorId && (checker.Call == nameof(ITaskStore.SuspendExecutorAsync)
                        || checker.Executions.IsStray(before.Claim!.Value)
                        || (checker.Stopping.Contains(before.ExecutorId!)
                            && checker.Executions.IsBetweenStages(before.Claim.Value))),
                    "I7", () => $"{task.Id} is released by {checker.GivesBack}, for {before.ExecutorId}");
                break;
            case TaskEvent.CheckOverdue:
                Expect(
                    task.Since + task.Definition.MaxExecTimeout!.Value + checker.Options.AbortGrace < now,
                    "I5",
                    () => $"{task.Id} is aborted before it is overdue");
                break;
            case TaskEvent.CheckWait:
                Expect(
                    task.Since + task.WaitsFor <= now,
                    "I5",
                    () => $"{task.Id}: its wait of {task.WaitsFor} since {task.Since:O} is ended");
                Expect(
                    task.WaitsAs != WaitKind.Snooze
                        || (after.State == TaskState.Suspended && after.Stage == before.Stage
                            && after.Attempt == before.Attempt),
                    "I8",
                    () => $"{task.Id}: after a snooze of stage {before.Stage} it is {after.State} at stage "
                        + $"{after.Stage} in attempt {after.Attempt}");
                break;
            case TaskEvent.MessageSent:
                Expect(
                    task.Definition.Commands[before.Stage].Method == MessageCommand.MethodName,
                    "I4",
                    () => $"{task.Id} takes a message at stage {before.Stage}, which waits for none");
                break;
            case TaskEvent.Reported { Report.Outcome: StageOutcome.Wait wait }:
                (task.WaitsFor, task.WaitsAs) = (wait.Duration, wait.For);
                Expect(
                    after.Attempt == before.Attempt && after.Interruptions == before.Interruptions,
                    "I5",
                    () => $"{task.Id}: a wait makes attempt {before.Attempt} number {after.Attempt}");
                if (wait.For == WaitKind.Snooze)
                {
                    var stage = (before.JobId, before.Attempt, before.Stage);
                    task.Snoozes[stage] = task.Snoozes.GetValueOrDefault(stage) + 1;
                }

                break;
            case TaskEvent.Reported { Report.Outcome: StageOutcome.Unknown unknown }:
                checker.Routing.CheckPutBack(task, before, after, unknown.Method);
                break;
            case TaskEvent.Claimed:
                checker.Routing.CheckClaim(task, before, after.ExecutorId!);
                break;
        }

        if (happened is TaskEvent.Interrupted or TaskEvent.GivenBack)
        {
            task.Losses[(before.JobId, before.Attempt)] = task.Losses.GetValueOrDefault((before.JobId, before.Attempt))
                + 1;
        }

        if (after.State != before.State)
        {
            task.Since = now;
        }
    }

    /// <summary>
    /// I6: only an occurrence is left out, only where missed runs are skipped, and the next one is in the future.
    /// </summary>
    private void CheckSkipped(ObservedTask task, ManagedState before, ManagedState after) => Expect(
        task.NextIsOccurrence && checker.Options.MissedRuns == MissedRuns.Skip
            && before.NextRun + checker.Options.MissedRunTolerance < checker.Now && after.NextRun > checker.Now
            && after.Skipped > before.Skipped && after.Occurrence == before.Occurrence,
        "I6",
        () => $"{task.Id} leaves out its occurrence of {before.NextRun:O} for {after.NextRun:O}");

    /// <summary>I6: an occurrence is begun once, and only forward in time.</summary>
    private void CheckOccurrence(ObservedTask task, ManagedState after)
    {
        if (task.NextIsOccurrence)
        {
            var occurrence = after.Occurrence;
            Expect(
                occurrence is { Second: 0 or 30 } && occurrence <= checker.Now,
                "I6",
                () => $"{task.Id} has no occurrence at {occurrence:O}");
            Expect(
                task.LastOccurrence is null || task.LastOccurrence < occurrence,
                "I6",
                () => $"{task.Id} begins its occurrence of {occurrence:O} after that of {task.LastOccurrence:O}");
            Expect(
                checker.Options.MissedRuns != MissedRuns.Skip
                    || checker.Now - occurrence <= checker.Options.MissedRunTolerance,
                "I6",
                () => $"{task.Id} begins its occurrence of {occurrence:O} too late");
            task.LastOccurrence = occurrence;
            task.NextIsOccurrence = false;
        }
    }

    /// <summary>Checks run, pass and attempt.</summary>
    private void CheckRun(ObservedTask task, TaskEvent happened, ManagedState before, ManagedState after)
    {
        var begins = happened is TaskEvent.Reset or TaskEvent.NextPeriod || (happened is TaskEvent.Chained
            && before.State != TaskState.Idle);
        Expect(
            begins ? task.Runs.Add(after.JobId) : after.JobId == before.JobId,
            "I1",
            () => $"{task.Id}: {happened.GetType().Name} makes the run {after.JobId} of {before.JobId}");
        if (begins)
        {
            (task.Retries, task.Interruptions, task.StageRetries) = (0, 0, 0);
            Expect(
                after is { Stage: 0, Pass: 0 },
                "I2",
                () => $"{task.Id}: a new run begins at stage {after.Stage}, pass {after.Pass}");
        }

        if (happened is TaskEvent.Reset or TaskEvent.NextPeriod or TaskEvent.Chained)
        {
            task.NextIsOccurrence = happened is TaskEvent.NextPeriod;
        }

        if (happened is TaskEvent.CheckRetry)
        {
            CheckRetry(task, before, after);
        }
        else if (!begins)
        {
            Expect(
                after.Pass == before.Pass,
                "I1",
                () => $"{task.Id}: {happened.GetType().Name} begins the pass {after.Pass}");
        }

        if (after.Stage > before.Stage)
        {
            task.StageRetries = 0;
        }
    }

    private void CheckRetry(ObservedTask task, ManagedState before, ManagedState after)
    {
        var isOfStage = task.HasStageRetry(before.Stage);
        var first = !isOfStage && task.Definition.RestartPolicy == RestartPolicy.First;
        task.Retries += isOfStage ? 0 : 1;
        task.StageRetries = first ? 0 : task.StageRetries + 1;
        Expect(before.RetryAt <= checker.Now, "I5", () => $"{task.Id} is retried before {before.RetryAt:O}");
        Expect(
            task.Retries <= task.Definition.MaxRetries,
            "I5",
            () => $"{task.Id} is retried {task.Retries} times; {task.Definition.MaxRetries} are allowed");
        Expect(
            (after.Retries, after.StageRetries) == (task.Retries, task.StageRetries)
                && after.Attempt == before.Attempt + 1,
            "I5",
            () => $"{task.Id}: {after.Retries} retries, {after.StageRetries} of the stage and attempt {after.Attempt} "
                + $"after {task.Retries} and {task.StageRetries}");
        Expect(
            after.Pass == before.Pass + (first ? 1 : 0) && after.Stage == (first ? 0 : before.Stage),
            "I8",
            () => $"{task.Id}: the {task.Definition.RestartPolicy} retry begins at stage {after.Stage}, pass "
                + $"{after.Pass}");
    }

    /// <summary>The time of the retry that follows a failure; null if it is final.</summary>
    private DateTimeOffset? ExpectRetry(ObservedTask task, TaskEvent happened, ManagedState after)
    {
        var failure = (happened as TaskEvent.Reported)?.Report.Outcome as StageOutcome.Failure;
        var isOfStage = task.HasStageRetry(after.Stage);
        var command = task.Definition.Commands[after.Stage];
        return failure?.IsFinal == true || !(isOfStage || task.Retries < task.Definition.MaxRetries) ? null
            : (failure?.RetryAfter
                ?? (isOfStage || command.MaxRetries is null ? command.RetryDelay : null)
                ?? task.Definition.RetryDelay) is { } delay ? checker.Now + delay
            : after.RetryAt ?? DateTimeOffset.MaxValue;
    }

    /// <summary>I9, and whether a retry follows.</summary>
    private void ExpectNotification(ObservedTask task, TaskEvent happened, ManagedState before, ManagedState after)
    {
        if (after.State is not (TaskState.Finished or TaskState.Failed))
        {
            return;
        }

        checker.Routing.CheckFailure(task, after);

        var retryAt = after.State == TaskState.Failed && happened is (TaskEvent.Reported or TaskEvent.CheckOverdue)
            ? ExpectRetry(task, happened, after)
            : null;
        var isRetried = retryAt is not null;
        Expect(
            retryAt == after.RetryAt,
            "I5",
            () => $"{task.Id}: {after.State} after {task.Retries} of {task.Definition.MaxRetries} retries, with a "
                + $"retry at {after.RetryAt:O} instead of {retryAt:O}");
        if (task.Definition.Notify)
        {
            _notifications.Add((task.Id, before.JobId, after.State, !isRetried));
        }
    }

    /// <summary>
    /// A task that finishes starts its next task in the same step, and the outcome of that start is recorded with it.
    /// </summary>
    private ManagedState ExpectChain(ObservedTask task, TaskEvent happened, ManagedState after)
    {
        if (happened is TaskEvent.Chained)
        {
            Expect(_chains.Remove(task.Id), "chain", () => $"{task.Id} is started by no end of another");
            Expect(after.NextRun == checker.Now, "chain", () => $"{task.Id} is not due at once");
        }

        if (after.State != TaskState.Finished || task.Definition.NextTask is not { } next)
        {
            return after;
        }

        var result = ChainResultOf(next, task);
        if (result == ChainResult.Started)
        {
            _chains.Add(next);
        }

        return after with { Chain = result };
    }

    private ChainResult ChainResultOf(string next, ObservedTask finished)
    {
        if (!checker.Tasks.TryGetValue(next, out var task) || task.IsDeleted)
        {
            return ChainResult.Missing;
        }

        if (!task.Definition.Enabled)
        {
            return ChainResult.Disabled;
        }

        return task == finished || task.State.State is TaskState.Idle or TaskState.Finished or TaskState.Failed
            ? ChainResult.Started
            : ChainResult.Busy;
    }

    private void Tell(ObservedTask task, TaskEvent happened, ManagedState before, ManagedState after) =>
        checker.Story.Tell(
            checker.Speaker,
            $"{happened.GetType().Name}: {task.Id} run {Story.Short(after.JobId)} pass {after.Pass} stage "
                + $"{before.Stage}->{after.Stage}: {before.State} -> {after.State}");

    private void Expect(bool holds, string promise, Func<string> what) => checker.Expect(holds, promise, what);
}
