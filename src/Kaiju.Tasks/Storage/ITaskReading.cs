using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// Reads tasks, their runs and their history for clients. Its members change nothing and do not wait for other steps.
/// </summary>
public interface ITaskReading
{
    /// <summary>Reads a task; null if there is none with the id.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the outcome of a run that has ended: the current one, or one of the last
    /// <see cref="LifecycleRules.KeptRuns"/> before it; null for all others.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="jobId">The run's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken);

    /// <summary>
    /// Finds the runs that clients need not wait for any more. Such a run has ended, is not current, or belongs to a
    /// task that does not exist. It is called often, for all waiting clients of a process at once, and must not read
    /// definitions or results.
    /// </summary>
    /// <param name="runs">The runs, at most 1,000.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Those runs, in any order.</returns>
    ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken);

    /// <summary>
    /// Lists the kept runs of a task that have ended, the latest first: the current one, if it has ended, and earlier
    /// ones.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The runs; empty if there is no such task.</returns>
    ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the history of the run that is shown, in the order of recording: the results and failures of all its
    /// passes.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The entries; empty if there is no such task.</returns>
    ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// Lists a page of tasks in the order of their creation, then of their ids; in reverse order if the newest are
    /// first.
    /// </summary>
    /// <param name="query">The tasks to list.</param>
    /// <param name="after">The position after which the page begins; null for the first page.</param>
    /// <param name="limit">The most tasks.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// The page. It may be short or empty although others follow, since a page reads a bounded number of rows and
    /// bytes.
    /// </returns>
    ValueTask<TaskPage> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Lists the pauses that are in force, by app, then by method.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken);

    /// <summary>Counts tasks after a position, up to a limit.</summary>
    /// <param name="query">The tasks to count.</param>
    /// <param name="after">The position after which to count; null for the first step.</param>
    /// <param name="limit">The count at which to stop.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The count. It may be incomplete, since a step reads a bounded number of rows.</returns>
    ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);
}
