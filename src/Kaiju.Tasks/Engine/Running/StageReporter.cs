using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>Reports the outcomes of stages until the store answers, and logs how claims end.</summary>
internal sealed class StageReporter(
    ITaskStore store,
    ExecutorStop stop,
    TimeProvider clock,
    KaijuTasksOptions options,
    StoreOutages outages,
    RetryDelays delays,
    ILogger guarded)
{
    private const string Work = "record results";

    /// <summary>
    /// Sends a report until the store answers. The store recognizes a report that it has recorded, so a lost answer is
    /// harmless.
    /// </summary>
    public async ValueTask<ReportAnswer> ReportAsync(ActiveRun run, int stage, StageOutcome outcome, TimeSpan elapsed)
    {
        IReadOnlyList<StageReport> reports = [ReportOf(run.Task, stage, outcome, elapsed)];
        FaultDelay? delay = null;
        try
        {
            while (true)
            {
                try
                {
                    // Not the stopping token: finished work is recorded during shutdown.
                    return (await store.RecordAsync(reports, stop.Abandoned).ConfigureAwait(false))[0];
                }
                catch (Exception e) when (!stop.Abandoned.IsCancellationRequested)
                {
                    if (run.Stop.IsSuperseded)
                    {
                        return ReportAnswer.Superseded;
                    }

                    delay ??= new FaultDelay(clock, options.MaxFaultDelay);
                    outages.Failed(Work, e, run);
                    await delay.WaitAsync(stop.Abandoned).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            // The report was recorded, or dropped because its claim is lost.
            if (delay is not null)
            {
                outages.Succeeded(Work, run);
            }
        }
    }

    /// <summary>Fails a run after a fault of the engine, so that its task does not wait until its deadline.</summary>
    public async Task FailAsync(ActiveRun run, Exception fault)
    {
        Log.RunBroke(guarded, fault, run.Task.Id, run.Task.JobId);
        const string Message = "The engine failed outside the task's code; see the executor's log.";
        var outcome = StageOutcome.Failed(TaskError.Create(TaskErrorKind.Other, Message));
        try
        {
            await ReportAsync(run, run.Data.Results.Count, outcome, TimeSpan.Zero).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.Abandoned.IsCancellationRequested)
        {
            // The host has stopped; the task is released.
        }
    }

    public void LogSuperseded(ActiveRun run, int stage) => Log.Superseded(guarded, run.Task.Id, run.Task.JobId, stage);

    /// <summary>Logs the outcome that ended a claim; a failed stage is a warning or an error.</summary>
    public void LogEnd(ActiveRun run, int stage, StageTurn.Ended turn)
    {
        var task = run.Task;
        Log.StageEnded(guarded, task.Id, task.JobId, stage, turn.Outcome);
        if (turn.Outcome is not StageOutcome.Failure { Error.Message: var message } failure)
        {
            return;
        }

        // The store plans the retry by the same rule.
        if (delays.TimeToRetry(run, stage, failure) is { } delay)
        {
            Log.StageFailed(guarded, turn.Cause, task.Id, task.JobId, task.Attempt, stage, run.Method, delay, message);
        }
        else
        {
            var reason = RetryDelays.WhyFinal(run, stage, failure);
            Log.StageFailedForGood(
                guarded, turn.Cause, task.Id, task.JobId, task.Attempt, stage, run.Method, reason, message);
        }
    }

    private static StageReport ReportOf(ExecutorTask task, int stage, StageOutcome outcome, TimeSpan elapsed) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = stage,
        Outcome = outcome,
        Elapsed = elapsed,
    };
}
