using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Asks the host's function for the delay before a retry (<see cref="KaijuTasksOptions.ChooseRetryDelay"/>). Its answer
/// travels in the report, so that every manager retries at the same time.
/// </summary>
internal sealed class RetryDelays(TimeProvider clock, KaijuTasksOptions options, ILogger guarded)
{
    private readonly Func<RetryContext, TimeSpan?>? _choose = options.ChooseRetryDelay;
    private readonly LifecycleRules _rules = options.Rules;
    private readonly TimeSpan _longest = options.Limits.MaxWait;
    private readonly FaultEpisode _faults = new(clock);
    private readonly Lock _lock = new();

    /// <summary>The time from a failure to its retry; null if the failure is final.</summary>
    public TimeSpan? TimeToRetry(ActiveRun run, int stage, StageOutcome.Failure failure) =>
        RetryPlan.Of(run.Task, stage).TimeToRetry(
            run.Task.JobId, run.Task.Attempt, clock.GetElapsedTime(run.Began), failure, _rules);

    /// <summary>The reason for which a failure is not retried, for the log.</summary>
    public static string WhyFinal(ActiveRun run, int stage, StageOutcome.Failure failure) =>
        failure.IsFinal ? "the failure is final"
        : RetryPlan.Of(run.Task, stage).IsLeft ? "the run is too old for a retry"
        : "no retries are left";

    /// <summary>Returns the turn with the delay that the function chooses for its failure.</summary>
    public StageTurn.Ended Choose(ActiveRun run, int stage, StageTurn.Ended turn) =>
        _choose is not null
        && turn.Outcome is StageOutcome.Failure { RetryAfter: null } failure
        && TimeToRetry(run, stage, failure) is not null
        && Ask(run, stage, failure, turn.Cause) is { } delay
            ? turn with { Outcome = failure.WithRetryAfter(delay) }
            : turn;

    private TimeSpan? Ask(ActiveRun run, int stage, StageOutcome.Failure failure, Exception? cause)
    {
        var context = new RetryContext
        {
            TaskId = run.Task.Id,
            Method = run.Method,
            Stage = stage,
            Attempt = run.Task.Attempt,
            StageAttempt = run.Task.RetriesOf(stage) + 1,
            Error = failure.Error,
            Exception = cause,
        };
        try
        {
            var delay = _choose!(context);
            if (!(delay < TimeSpan.Zero) && !(delay > _longest))
            {
                return delay;
            }

            Refuse(context, null, $"its answer is {delay}; it must be from 0 to {_longest}");
        }
        catch (Exception e)
        {
            // The function is users' code. Its fault must not fail the report.
            Refuse(context, e, "it threw");
        }

        return null;
    }

    private void Refuse(RetryContext context, Exception? exception, string reason)
    {
        lock (_lock)
        {
            if (_faults.Fail() == FaultNews.None)
            {
                return;
            }
        }

        Log.RetryDelayRefused(guarded, exception, context.TaskId, context.Method, reason);
    }
}
