using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What clients read: tasks, their runs and their history. Nothing here changes anything or waits for a step.
/// </summary>
public interface ITaskReading
{
    /// <summary>A task, or null.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// The outcome of a run that has ended: the current one, or one of the last <see cref="LifecycleRules.KeptRuns"/>
    /// before it; else null.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="jobId">The run.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken);

    /// <summary>
    /// Of runs that clients wait for, those that are to be looked at: a run that has ended, or that is not its task's
    /// current run, or whose task does not exist. Asked for all waiters of a process at once and often, so it reads
    /// neither definitions nor results.
    /// </summary>
    /// <param name="runs">The runs, at most 1,000.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Those of them, in any order.</returns>
    ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
        IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken);

    /// <summary>
    /// The runs of a task that have ended and are kept, the latest first: the current one, if it has, and those before
    /// it.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>None if there is no such task.</returns>
    ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// The history of the run that is shown, in the order in which it was recorded: results and failures of all its
    /// passes.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>None if there is no such task.</returns>
    ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>
    /// A page of tasks in the order of their creation, then of their ids; both reversed if the newest are first.
    /// </summary>
    /// <param name="query">The tasks to list.</param>
    /// <param name="after">The position after which the page begins; null for the first page.</param>
    /// <param name="limit">The largest number of tasks.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// A page that has cost a bounded number of rows and bytes, so that it may be short or empty although others
    /// follow.
    /// </returns>
    ValueTask<TaskPage> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Counts tasks, from a position on and up to a limit.</summary>
    /// <param name="query">The tasks to count.</param>
    /// <param name="after">The position after which to count; null for the first step.</param>
    /// <param name="limit">The count at which to stop.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A count that has cost a bounded number of rows.</returns>
    ValueTask<CountPage> CountAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);
}
