using System.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// A run from its claim to its end: hold the claim, run a stage, report it, begin the next. It works once on the run's
/// thread; and once more, as its successor, if a stop leaves a handler behind that keeps this thread (<see
/// cref="HandlerCall"/>).
/// </summary>
internal sealed class RunLoop : IThreadPoolWorkItem
{
    private readonly RunParts _parts;
    private readonly ActiveRun _run;

    private RunLoop(RunParts parts, ExecutorTask task, Moment? ping)
    {
        _parts = parts;
        var call = new HandlerCall(parts.Offload, this);
        var (data, clock) = (new RunData(task, parts.Data), new RunClock(parts.Clock, task.TimeLeft));
        _run = new ActiveRun(data, clock, call, new StopSource(parts.Offload, call)) { HeldAt = ping };
    }

    /// <summary>How a run stands after a stage.</summary>
    private enum Progress
    {
        /// <summary>The next stage may begin.</summary>
        NextStage,

        /// <summary>The run has ended or must stop.</summary>
        Over,

        /// <summary>The successor has it.</summary>
        Elsewhere,
    }

    /// <summary>Begins to run a claimed task, elsewhere.</summary>
    /// <param name="parts">What the runs share.</param>
    /// <param name="task">The task.</param>
    /// <param name="ping">The beginning of the last ping before the claim; null if there was none.</param>
    public static void Start(RunParts parts, ExecutorTask task, Moment? ping)
    {
        var loop = new RunLoop(parts, task, ping);
        parts.Runs.Add(loop._run);
        parts.Offload.Start(loop);
    }

    void IThreadPoolWorkItem.Execute() => _ = _run.Call.IsLeft ? EndLeftAsync() : RunAsync();

    private async Task RunAsync()
    {
        try
        {
            var progress = Progress.NextStage;
            for (var stage = _run.Task.Stage; progress == Progress.NextStage && MayBegin(stage); stage++)
            {
                progress = await _parts.Claims.ConfirmAsync(_run).ConfigureAwait(false)
                    ? await RunStageAsync(stage).ConfigureAwait(false)
                    : Progress.Over;
            }

            if (progress == Progress.Elsewhere)
            {
                return;
            }
        }
        catch (OperationCanceledException) when (_parts.Stop.Abandoned.IsCancellationRequested)
        {
            // The host is gone; what could not be reported runs again elsewhere.
        }
        catch (Exception e)
        {
            // Nothing of the user's should get here.
            if (!_run.Call.TryEnd())
            {
                return;
            }

            await _parts.Reporter.FailAsync(_run, e).ConfigureAwait(false);
        }

        await EndAsync().ConfigureAwait(false);
    }

    private bool MayBegin(int stage) => stage < _run.Task.Stages && !_parts.Stop.HasBegun;

    private async ValueTask<Progress> RunStageAsync(int stage)
    {
        _run.StageStarted = _parts.Clock.GetTimestamp();
        return await _parts.Stages.RunAsync(_run, stage).ConfigureAwait(false) switch
        {
            StageTurn.Ended turn => await RecordAsync(stage, turn).ConfigureAwait(false),
            StageTurn.Stopped => Progress.Over,
            StageTurn.Abandoned => Progress.Elsewhere,
            var other => throw new UnreachableException($"A stage's turn is {other}."),
        };
    }

    private async ValueTask<Progress> RecordAsync(int stage, StageTurn.Ended turn)
    {
        var elapsed = _parts.Clock.GetElapsedTime(_run.StageStarted);
        var answer = await _parts.Reporter.ReportAsync(_run, stage, turn.Outcome, elapsed).ConfigureAwait(false);
        if (answer == ReportAnswer.Superseded)
        {
            _parts.Reporter.LogSuperseded(_run, stage);
            _run.Stop.Supersede();
            return Progress.Over;
        }

        if (turn.Outcome is not StageOutcome.Done done)
        {
            _parts.Reporter.LogEnd(_run, stage, turn);
            return Progress.Over;
        }

        _run.Data.Add(stage, done.Result);
        return Progress.NextStage;
    }

    /// <summary>As the successor: says why the run must stop whose handler keeps its thread, and ends it.</summary>
    private async Task EndLeftAsync()
    {
        try
        {
            if (_parts.Stages.DescribeStop(_run) is StageTurn.Ended turn)
            {
                await RecordAsync(_run.Call.Stage, turn).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_parts.Stop.Abandoned.IsCancellationRequested)
        {
            // The host is gone; the task is given back.
        }
        catch (Exception e)
        {
            await _parts.Reporter.FailAsync(_run, e).ConfigureAwait(false);
        }

        await EndAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        // A handler that ignores its token still uses what it uses, so its slot is not free.
        await _run.Call.Leftover.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _parts.Runs.Remove(_run);
        if (_parts.Stop.HasBegun || _run.Stop.Reason == StopReason.Stopping)
        {
            _parts.Stopped.Add(_run.Claim);
        }

        _run.Complete();
    }
}
