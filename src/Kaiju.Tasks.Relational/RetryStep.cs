using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Retries a run that failed.</summary>
internal sealed class RetryStep(string taskId, RetryChange? change, CallContext context)
{
    /// <summary>The last try: the row as written, and the state before.</summary>
    private (TaskRow Row, ManagedState Before)? _tried;

    public async ValueTask<RetryResult> RunAsync(SqlStep step)
    {
        var row = await step.FindAsync(taskId, context.Scope, DefinitionNeed.All).ConfigureAwait(false);
        if (step.IsRepeated && _tried is var (tried, beforeTry))
        {
            var wasRetried = await LostAnswer.IsRetriedAsync(step, row, tried, beforeTry).ConfigureAwait(false)
                ?? throw EventStep.Unknown(
                    tried, row is null ? "was deleted in the meantime" : "was retried or ran again in the meantime");
            if (wasRetried)
            {
                return RetryResult.Retried;
            }
        }

        var before = row?.State;
        var result = await ApplyAsync(step, row, change).ConfigureAwait(false);
        _tried = result == RetryResult.Retried ? (row!, before!) : null;
        return result;
    }

    /// <summary>Retries the run of a row, if the lifecycle allows it.</summary>
    public static async ValueTask<RetryResult> ApplyAsync(SqlStep step, TaskRow? row, RetryChange? change)
    {
        var shown = row is { State: { State: TaskState.Idle } idle } && idle.ResultRun != idle.JobId
            ? await EventStep.FindRunAsync(step, row, idle.ResultRun).ConfigureAwait(false)
            : null;
        var result = TaskLifecycle.JudgeRetry(row?.Head, row?.State, shown, change);
        if (result == RetryResult.Retried)
        {
            await step.ApplyEventAsync(row!, new TaskEvent.Retried(shown, change, row!.Results)).ConfigureAwait(false);
        }

        return result;
    }
}
