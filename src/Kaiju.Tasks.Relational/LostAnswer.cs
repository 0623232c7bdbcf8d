using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Finds in the stored rows whether a step whose answer was lost was committed. Only the parts of a state that tell one
/// change from every other one are compared.
/// </summary>
internal static class LostAnswer
{
    /// <summary>
    /// True if the event was applied to the row, false if it was not, null if the row does not show it any more.
    /// </summary>
    /// <param name="step">The step that is repeated.</param>
    /// <param name="row">The row as it is stored now; null if the task was deleted.</param>
    /// <param name="tried">The row as the last try has written it.</param>
    /// <param name="before">The state before the last try.</param>
    public static async ValueTask<bool?> IsRetriedAsync(SqlStep step, TaskRow? row, TaskRow tried, ManagedState before)
    {
        var after = tried.State;
        if (row?.TaskNo != tried.TaskNo)
        {
            return null;
        }

        if (row.State.JobId == after.JobId)
        {
            // The attempt never decreases in a run, and the time of the queueing is that of the try.
            return row.State.Attempt < after.Attempt ? false
                : row.State.QueuedAt == after.QueuedAt ? true
                : null;
        }

        // The next run of the task was still to come.
        if (row.State.JobId == before.JobId)
        {
            return false;
        }

        return await EventStep.FindRunAsync(step, row, after.JobId).ConfigureAwait(false) is { } run
            ? run.Retries < after.Attempt - 1 ? false : run.QueuedAt == after.QueuedAt ? true : null
            : null;
    }

    /// <inheritdoc cref="IsRetriedAsync"/>
    public static async ValueTask<bool?> IsCancelledAsync(
        SqlStep step, TaskRow? row, TaskRow tried, ManagedState before)
    {
        var after = tried.State;
        if (row?.TaskNo != tried.TaskNo)
        {
            return null;
        }

        if (row.State.JobId != before.JobId)
        {
            return (await EventStep.FindRunAsync(step, row, before.JobId).ConfigureAwait(false))?.Ended
                is { } ended ? ended == after.StatusChange : null;
        }

        // Only a retry resumes a cancelled run.
        return row.State.HasEnded ? row.State.StatusChange == after.StatusChange
            : row.State.Attempt > before.Attempt ? null
            : false;
    }
}
