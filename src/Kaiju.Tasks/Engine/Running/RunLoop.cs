using System.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Runs a task from its claim to its end: confirms the claim, runs a stage, reports it, and begins the next. If a stop
/// leaves a handler behind that keeps the run's thread, the object executes a second time as the successor
/// (<see cref="HandlerCall"/>).
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

    /// <summary>The progress of a run after a stage.</summary>
    private enum Progress
    {
        /// <summary>The next stage may begin.</summary>
        NextStage,

        /// <summary>The run has ended or must stop.</summary>
        Over,

        /// <summary>The successor has taken the run.</summary>
        Elsewhere,
    }

    /// <summary>Starts to run a claimed task on another thread.</summary>
    /// <param name="parts">The objects that all runs of the executor share.</param>
    /// <param name="task">The claimed task.</param>
    /// <param name="ping">The start of the last ping before the claim; null without one.</param>
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
            // The host has stopped; stages that could not be reported run again elsewhere.
        }
        catch (Exception e)
        {
            // Exceptions of users' code end in StageRunner, so this is a fault of the engine.
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
            var other => throw new UnreachableException($"Unknown turn of a stage: {other}."),
        };
    }

    private async ValueTask<Progress> RecordAsync(int stage, StageTurn.Ended turn)
    {
        var elapsed = _parts.Clock.GetElapsedTime(_run.StageStarted);
        turn = _parts.Delays.Choose(_run, stage, turn);
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

    /// <summary>
    /// As the successor: reports why the run stopped while its handler keeps the thread, and ends the run.
    /// </summary>
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
            // The host has stopped; the task is released.
        }
        catch (Exception e)
        {
            await _parts.Reporter.FailAsync(_run, e).ConfigureAwait(false);
        }

        await EndAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        // A handler that ignores its token still uses resources, so its slot is not free.
        await _run.Call.Leftover.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _parts.Runs.Remove(_run);
        if (_parts.Stop.HasBegun || _run.Stop.Reason == StopReason.Stopping)
        {
            _parts.Stopped.Add(_run.Claim);
        }

        _run.Complete();
    }
}
