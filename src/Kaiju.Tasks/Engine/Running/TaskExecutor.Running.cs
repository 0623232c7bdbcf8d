using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <content>What it does with a run: stage by stage, each reported before the next, until its end or until it must stop.</content>
internal sealed partial class TaskExecutor
{
    private const string RecordWork = "record results";

    private void Start(ExecutorTask task, Moment? ping)
    {
        var run = new ActiveRun(task, _data, _clock, _offload, _body) { HeldAt = ping };
        Interlocked.Increment(ref _taken);
        _running[task.Claim] = run;
        _deadlines.Watch(run);
        _offload.Start(run);
    }

    private async Task RunAsync(ActiveRun run)
    {
        var isLeft = run.IsLeft;
        try
        {
            if (isLeft)
            {
                await LeaveStageAsync(run).ConfigureAwait(false);
            }
            else
            {
                await RunStagesAsync(run).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The host is gone; what could not be reported runs again elsewhere.
        }
        catch (Exception e)
        {
            // Nothing of the user's should get here.
            Log.RunBroke(_logger, e, run.Task.Id, run.Task.JobId);
            await FailBrokenAsync(run).ConfigureAwait(false);
        }
        finally
        {
            // A run that has gone on elsewhere ends there.
            if (isLeft || !run.IsLeft)
            {
                await EndAsync(run).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask RunStagesAsync(ActiveRun run)
    {
        for (var stage = run.Task.Stage; stage < run.Task.Stages && !_stopping; stage++)
        {
            if (!await HoldsClaimAsync(run).ConfigureAwait(false) || !await RunStageAsync(run, stage).ConfigureAwait(false))
            {
                break;
            }
        }
    }

    /// <summary>
    /// After a freeze, or when the store was away, the claim may be another's, and the stage recorded. Nobody else can have it while the
    /// ping that vouches for it counts; after that the executor pings again, and hears what it has lost, before the next stage begins.
    /// </summary>
    private async ValueTask<bool> HoldsClaimAsync(ActiveRun run)
    {
        FaultDelay? delay = null;
        while (!run.IsSuperseded && !IsCertain(run))
        {
            try
            {
                // A ping that was under way may not have named this claim: then there is another one.
                await _renewal.JoinAsync().ConfigureAwait(false);
                _outages.Succeeded(HeartbeatLoop.Work);
            }
            catch (Exception e) when (!_abandoned.IsCancellationRequested)
            {
                _outages.Failed(HeartbeatLoop.Work, e);
                delay ??= new FaultDelay(_clock, _options.MaxFaultDelay);
                await delay.WaitAsync(_abandoned).ConfigureAwait(false);
            }
        }

        return !run.IsSuperseded;
    }

    /// <summary>Only pings count: that the store answers something else keeps nobody alive.</summary>
    private bool IsCertain(ActiveRun run) => run.HeldAt is { } ping && ping.Elapsed < _rhythm.Certainty;

    /// <summary>One stage: run it, report it, and say whether there is a next one for this claim.</summary>
    private async ValueTask<bool> RunStageAsync(ActiveRun run, int stage)
    {
        run.StageStarted = _clock.GetTimestamp();
        return await _stages.RunAsync(run, stage).ConfigureAwait(false) is { } outcome && !run.IsLeft && await EndStageAsync(run, stage, outcome).ConfigureAwait(false);
    }

    /// <summary>The stage's handler keeps its thread beyond its time: the run says why it must stop, and ends.</summary>
    private async ValueTask LeaveStageAsync(ActiveRun run)
    {
        if (_stages.OutcomeOfStop(run) is { } outcome)
        {
            await EndStageAsync(run, run.Stage, outcome).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> EndStageAsync(ActiveRun run, int stage, StageOutcome outcome)
    {
        var report = ReportOf(run, stage, outcome, _clock.GetElapsedTime(run.StageStarted));
        if (await ReportAsync(run, report).ConfigureAwait(false) == ReportAnswer.Superseded)
        {
            Log.Superseded(_logger, run.Task.Id, run.Task.JobId, stage);
            run.Supersede();
            return false;
        }

        if (outcome is not StageOutcome.Done done)
        {
            ReportEnd(run, stage, outcome);
            return false;
        }

        run.Add(stage, done.Result);
        return true;
    }

    /// <summary>Delivers a report until there is an answer. The store knows a report that it has carried out, so that a lost answer costs nothing.</summary>
    private async ValueTask<ReportAnswer> ReportAsync(ActiveRun run, StageReport report)
    {
        FaultDelay? delay = null;
        try
        {
            while (true)
            {
                try
                {
                    // Not the stopping token: finished work is recorded during shutdown.
                    return (await _store.RecordAsync([report], _abandoned).ConfigureAwait(false))[0];
                }
                catch (Exception e) when (!_abandoned.IsCancellationRequested)
                {
                    if (run.IsSuperseded)
                    {
                        return ReportAnswer.Superseded;
                    }

                    delay ??= new FaultDelay(_clock, _options.MaxFaultDelay);
                    _outages.Failed(RecordWork, e, run);
                    await delay.WaitAsync(_abandoned).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            // Recorded, or given up with the claim.
            if (delay is not null)
            {
                _outages.Succeeded(RecordWork, run);
            }
        }
    }

    /// <summary>Logs why a claim ended before its task: at least a warning if the stage failed.</summary>
    private void ReportEnd(ActiveRun run, int stage, StageOutcome outcome)
    {
        var task = run.Task;
        Log.StageEnded(_logger, task.Id, task.JobId, stage, outcome);
        if (outcome is not StageOutcome.Failure { Error: var error })
        {
            return;
        }

        // The store decides by the same rule.
        var plan = new RetryPlan(task.MaxRetries, task.RetryDelay, task.QueuedFor);
        if (plan.TimeToRetry(task.JobId, task.Attempt, _clock.GetElapsedTime(run.Began), _rules) is { } delay)
        {
            Log.StageFailed(_logger, run.Cause, task.Id, task.JobId, task.Attempt, stage, run.Method, delay, error.Message);
        }
        else
        {
            Log.StageFailedForGood(_logger, run.Cause, task.Id, task.JobId, task.Attempt, stage, run.Method, error.Message);
        }
    }

    /// <summary>A fault of the engine's own fails the stage, so that its task does not hang until its deadline.</summary>
    private async Task FailBrokenAsync(ActiveRun run)
    {
        var error = TaskError.Create(TaskErrorKind.Other, "The executor failed outside the task's own code; its log says why.");
        try
        {
            await ReportAsync(run, ReportOf(run, run.Results.Count, StageOutcome.Failed(error), TimeSpan.Zero)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The host is gone; the task is given back.
        }
    }

    private static StageReport ReportOf(ActiveRun run, int stage, StageOutcome outcome, TimeSpan elapsed) => new()
    {
        TaskId = run.Task.Id,
        StoreKey = run.Task.StoreKey,
        Claim = run.Task.Claim,
        JobId = run.Task.JobId,
        Attempt = run.Task.Attempt,
        Stage = stage,
        Outcome = outcome,
        Elapsed = elapsed,
    };

    private async ValueTask EndAsync(ActiveRun run)
    {
        if (run.Leftover is { } leftover)
        {
            // A handler that ignores its token still uses what it uses, so its slot is not free.
            await leftover.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _running.TryRemove(run.Task.Claim, out _);
        Interlocked.Decrement(ref _taken);
        run.Dispose();
        SlotFreed?.Invoke();
        if (_stopping || run.Reason == StopReason.Stopping)
        {
            _stopped.Enqueue(run.Claim);
            GiveBackStopped();
        }

        run.Complete();
    }
}
