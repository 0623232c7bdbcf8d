using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks;

/// <summary>
/// Creates, reads and steers tasks. Thread-safe. When a member returns, its change is durable.
/// <para>Every member waits for one answer of the store at most <see cref="KaijuTasksOptions.ClientTimeout"/> and then
/// throws <see cref="TaskStoreTimeoutException"/>. Once the host has stopped, a call that still waits throws
/// <see cref="TaskHostStoppedException"/>: <see cref="WaitAsync"/> when the host's own tasks are drained, every other
/// member when all services of the host have stopped.</para>
/// <para>No member joins an ambient transaction (<c>System.Transactions</c>): its change stays when the scope is rolled
/// back. <see cref="CreateOptions.Transaction"/> joins a database transaction of the caller.</para>
/// <para>This interface may grow in minor versions. Derive test doubles from it only in tests.</para>
/// </summary>
public interface ITaskClient
{
    /// <summary>Creates a task. It is durable when this returns. A task that is due is queued at once.</summary>
    /// <param name="definition">The task to create.</param>
    /// <param name="options">
    /// The options of the creation. Default: in a transaction of its own; an id that exists is refused.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be created.</param>
    /// <returns>A handle of the task, with its id and the result of the creation.</returns>
    /// <exception cref="TaskValidationException">
    /// The definition is invalid; the message names every error, and nothing is stored.
    /// </exception>
    /// <exception cref="TaskExistsException">
    /// The id exists, and <see cref="CreateOptions.OnConflict"/> does not allow it.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The store cannot join <see cref="CreateOptions.Transaction"/>.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// <see cref="CreateOptions.Transaction"/> has ended, or belongs to another database.
    /// </exception>
    Task<TaskHandle> CreateAsync(
        TaskDefinition definition, CreateOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Creates many tasks in one call. An invalid or refused task does not affect the others.</summary>
    /// <param name="definitions">The tasks to create.</param>
    /// <param name="options">The options of the creation. Default: ids that exist are refused.</param>
    /// <param name="cancellationToken">Cancels the wait; the tasks may still be created.</param>
    /// <returns>
    /// A handle for each, in order: <see cref="CreateResult.Invalid"/> with its faults,
    /// <see cref="CreateResult.Refused"/> for an id that exists.
    /// </returns>
    /// <exception cref="NotSupportedException">
    /// The store cannot join <see cref="CreateOptions.Transaction"/>.
    /// </exception>
    Task<IReadOnlyList<TaskHandle>> CreateManyAsync(
        IEnumerable<TaskDefinition> definitions,
        CreateOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Stores tasks of another store as they are, with results and state, such as those of the Python original
    /// (<see cref="TaskRecord.FromJson"/>). An invalid or refused task does not affect the others.
    /// </summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="cancellationToken">Cancels the wait; the tasks may still be imported.</param>
    /// <returns>A handle for each, in order; <see cref="CreateResult.Refused"/> for an id that exists.</returns>
    Task<IReadOnlyList<TaskHandle>> ImportAsync(
        IEnumerable<TaskRecord> tasks, CancellationToken cancellationToken = default);

    /// <summary>
    /// Changes a task's definition. Commands, kws and app may change only while the task is at rest, <c>run_at</c> only
    /// while it is IDLE, the id never; everything else at any time. A changed cron counts from now and does not fire.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="change">
    /// Makes the new definition from the stored one. Called again when another update came first.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be updated.</param>
    /// <returns>The task as it is stored now.</returns>
    /// <exception cref="TaskNotFoundException">The task does not exist.</exception>
    /// <exception cref="TaskValidationException">
    /// The new definition is invalid, or a member may not change now.
    /// </exception>
    Task<TaskRecord> UpdateAsync(
        string taskId, Func<TaskDefinition, TaskDefinition> change, CancellationToken cancellationToken = default);

    /// <summary>
    /// Enables or disables a task. A disabled task is kept as it is: it is not queued, claimed, woken or retried. A
    /// stage that is running completes.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="enabled">True to enable, false to disable.</param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be updated.</param>
    /// <returns>The task as it is stored now.</returns>
    /// <exception cref="TaskNotFoundException">The task does not exist.</exception>
    Task<TaskRecord> SetEnabledAsync(string taskId, bool enabled, CancellationToken cancellationToken = default);

    /// <summary>
    /// The runs of a task that have ended and are kept (<see cref="KaijuTasksOptions.KeptRuns"/>), the latest first.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The runs; empty if the task does not exist.</returns>
    Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// The history of the run that <see cref="GetAsync"/> shows: each result and each failure of all its passes, with
    /// their times, in the order in which they were recorded.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The history; empty if the task does not exist.</returns>
    Task<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>Marks notifications as read.</summary>
    /// <param name="ids">The notifications' ids.</param>
    /// <param name="cancellationToken">Cancels the wait; they may still be marked.</param>
    /// <returns>The number of notifications that were unread.</returns>
    Task<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes tasks that ended for good at least <paramref name="age"/> ago. Periodic tasks and tasks marked
    /// <see cref="TaskDefinition.System"/> stay.
    /// </summary>
    /// <param name="age">The least time since the end; zero for all that have ended.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>The number of tasks that were deleted.</returns>
    Task<int> DeleteEndedAsync(TimeSpan age, CancellationToken cancellationToken = default);

    /// <summary>Reads a task as it is now.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The task; null if it does not exist.</returns>
    /// <exception cref="JsonException">This version cannot read the stored task. Lists leave it out.</exception>
    Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists tasks by the time of their creation, page by page: a task that changes meanwhile is listed in its old or
    /// its new state.
    /// </summary>
    /// <param name="query">The tasks to list. Default: all, the oldest first.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    IAsyncEnumerable<TaskRecord> ListAsync(TaskQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Reads one page of tasks, by the time of their creation.</summary>
    /// <param name="query">The tasks to list. Default: all, the oldest first.</param>
    /// <param name="after">
    /// The position after which the page begins: <see cref="TaskPage.Next"/> of the page before, with the same query.
    /// Default: null, for the first page.
    /// </param>
    /// <param name="limit">The largest number of tasks, 1 to 1,000. Default 100.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<TaskPage> ListPageAsync(
        TaskQuery? query = null,
        TaskCursor? after = null,
        int limit = 100,
        CancellationToken cancellationToken = default);

    /// <summary>Counts tasks, up to a limit. Its cost grows with the tasks that it looks through.</summary>
    /// <param name="query">The tasks to count. Default: all.</param>
    /// <param name="atMost">The count at which to stop, at least 1. Default 10,000.</param>
    /// <param name="cancellationToken">Stops between two pages.</param>
    /// <returns>The number of tasks; <paramref name="atMost"/> if there are as many or more.</returns>
    Task<int> CountAsync(TaskQuery? query = null, int atMost = 10_000, CancellationToken cancellationToken = default);

    /// <summary>Lists notifications, the newest first, page by page.</summary>
    /// <param name="query">The notifications to list. Default: all.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    IAsyncEnumerable<TaskNotification> ListNotificationsAsync(
        NotificationQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Reads one page of notifications, the newest first.</summary>
    /// <param name="query">The notifications to list. Default: all.</param>
    /// <param name="after">
    /// The position after which the page begins: <see cref="NotificationPage.Next"/> of the page before, with the same
    /// query. Default: null, for the first page.
    /// </param>
    /// <param name="limit">The largest number of notifications, 1 to 1,000. Default 100.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<NotificationPage> ListNotificationPageAsync(
        NotificationQuery? query = null,
        NotificationCursor? after = null,
        int limit = 100,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends a message to a task that waits for one. The message becomes the result of the waiting stage, and the task
    /// is queued for its next stage.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="message">Any JSON of at most <see cref="TaskLimits.MaxResultBytes"/> bytes.</param>
    /// <param name="cancellationToken">Cancels the wait; the message may still be taken.</param>
    /// <returns>
    /// True if the task took the message. False if it does not exist or does not wait for a message now; the message is
    /// not kept.
    /// </returns>
    /// <exception cref="TaskValidationException">The message cannot be stored.</exception>
    Task<bool> SendMessageAsync(string taskId, JsonElement message, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendMessageAsync(string, JsonElement, CancellationToken)"/>
    /// <param name="taskId">The task's id.</param>
    /// <param name="message">
    /// An object, often anonymous, written as JSON with <see cref="KaijuTasksOptions.SerializerOptions"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the message may still be taken.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    Task<bool> SendMessageAsync(string taskId, object? message, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendMessageAsync(string, JsonElement, CancellationToken)"/>
    /// <typeparam name="T">The message's type.</typeparam>
    /// <param name="taskId">The task's id.</param>
    /// <param name="message">The message.</param>
    /// <param name="typeInfo">The JSON contract of the message's type.</param>
    /// <param name="cancellationToken">Cancels the wait; the message may still be taken.</param>
    Task<bool> SendMessageAsync<T>(
        string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default);

    /// <summary>
    /// Retries a run that failed, also one that was cancelled: the same run resumes at the stage that failed, with the
    /// results and the idempotency keys of the stages before it. The task is queued at once. A retry that was to come
    /// later is made now, as its restart policy says. After a final failure all budgets are renewed: the task may take
    /// <see cref="TaskDefinition.MaxRetries"/> retries and <see cref="KaijuTasksOptions.MaxInterruptions"/>
    /// interruptions again. <see cref="TaskRecord.Attempt"/> counts on.
    /// </summary>
    /// <remarks>
    /// A periodic task begins to wait for its next occurrence as soon as a run has failed. While it waits, its last run
    /// can be retried as long as it is kept (<see cref="KaijuTasksOptions.KeptRuns"/>). The occurrence for which the
    /// task waited then runs after that run, late if it is due by then.
    /// </remarks>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait; the run may still be retried.</param>
    /// <returns><see cref="RetryResult.Retried"/>, or the reason for which nothing has changed.</returns>
    Task<RetryResult> RetryAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Retries a run that failed in a new pass: from an earlier stage, with other params or with other kws. The results
    /// before that stage are kept for the new pass; its stages have new idempotency keys. All budgets are renewed. The
    /// changes hold for this run only: the definition stays as it is.
    /// </summary>
    /// <inheritdoc cref="RetryAsync(string, CancellationToken)" path="/remarks"/>
    /// <param name="taskId">The task's id.</param>
    /// <param name="options">
    /// The stage and the changes; null to resume in the same pass, like <see cref="RetryAsync(string,
    /// CancellationToken)"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the run may still be retried.</param>
    /// <returns><see cref="RetryResult.Retried"/>, or the reason for which nothing has changed.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="RetryOptions.FromStage"/> is negative.</exception>
    /// <exception cref="TaskValidationException">
    /// The params or kws cannot be stored, or a template is invalid.
    /// </exception>
    Task<RetryResult> RetryAsync(
        string taskId, RetryOptions? options, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels the current run in any state: it becomes FAILED with exit code 130 and is not retried. A running handler
    /// is cancelled through its token within two seconds. A periodic task continues with its next occurrence; if it was
    /// waiting for an occurrence, that one is skipped.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait; the run may still be cancelled.</param>
    /// <returns>True if the run was cancelled. False if the task does not exist or its run has ended.</returns>
    Task<bool> CancelAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Restarts a task in any state: a new run from the first stage, due now, without results.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be reset.</param>
    /// <returns>True if the task was reset. False if it does not exist.</returns>
    Task<bool> ResetAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Retries every task that a query selects, like <see cref="RetryAsync(string, CancellationToken)"/>, in steps of
    /// at most 200 tasks. Each task is visited once, in the order of the query: tasks that changed their state after
    /// the operation began are left out.
    /// </summary>
    /// <remarks>
    /// <see cref="KaijuTasksOptions.ClientTimeout"/> bounds each step, not the whole. If the operation ends with an
    /// exception, the steps before it stay done, and the same call continues with the tasks that are left.
    /// </remarks>
    /// <param name="query">
    /// The tasks, such as those that have failed for good. At least one of its members must select.
    /// </param>
    /// <param name="dryRun">True: the tasks are only counted. Default: false.</param>
    /// <param name="cancellationToken">Stops between two steps; a step that has begun may still complete.</param>
    /// <returns>The numbers of tasks.</returns>
    /// <exception cref="ArgumentException">The query is invalid, or it selects all tasks.</exception>
    Task<BulkResult> RetryManyAsync(
        TaskQuery query, bool dryRun = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels the current run of every task that a query selects, like <see cref="CancelAsync"/>, in steps of at most
    /// 200 tasks. Each task is visited once: tasks that changed their state after the operation began are left out.
    /// </summary>
    /// <inheritdoc cref="RetryManyAsync"/>
    Task<BulkResult> CancelManyAsync(
        TaskQuery query, bool dryRun = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes every task that a query selects, in any state, like <see cref="DeleteAsync"/>, in steps of at most 200
    /// tasks. Tasks that changed their state after the operation began are left out.
    /// </summary>
    /// <inheritdoc cref="RetryManyAsync"/>
    Task<BulkResult> DeleteManyAsync(
        TaskQuery query, bool dryRun = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Pauses an app or a method, for instance during an outage of a service that its tasks need. Executors begin no
    /// stage of it until it is resumed or the pause is over; stages that run are not touched, and tasks can still be
    /// created. The pause is stored, so every process sees it and it survives restarts. A pause of the same app and
    /// method is replaced.
    /// </summary>
    /// <remarks>
    /// A pause of an app counts within a second in every process. Tasks of a paused method that are queued already are
    /// held by a manager, which begins within <see cref="KaijuTasksOptions.PollInterval"/> and looks through the queue;
    /// until then an executor may still begin them.
    /// </remarks>
    /// <param name="pause">The pause, with an app, a method, or both.</param>
    /// <param name="cancellationToken">Cancels the wait; the pause may still be stored.</param>
    /// <exception cref="ArgumentException">
    /// The pause has neither an app nor a method, a name is invalid, or the reason is too long.
    /// </exception>
    Task PauseAsync(TaskPause pause, CancellationToken cancellationToken = default);

    /// <summary>Ends the pause of an app or of a method.</summary>
    /// <param name="appName">The app of the pause. Default: null, for a pause in all apps.</param>
    /// <param name="method">The method of the pause. Default: null, for a pause of the whole app.</param>
    /// <param name="cancellationToken">Cancels the wait; the pause may still be ended.</param>
    /// <returns>True if the pause existed.</returns>
    /// <exception cref="ArgumentException">Both names are null, or a name is invalid.</exception>
    Task<bool> ResumeAsync(
        string? appName = null, string? method = null, CancellationToken cancellationToken = default);

    /// <summary>Lists the pauses that are in force, by app, then by method.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken = default);

    /// <summary>Deletes a task in any state, with its results and runs. Its notifications stay.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be deleted.</param>
    /// <returns>True if the task was deleted. False if it does not exist.</returns>
    Task<bool> DeleteAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Waits until a run has ended, including its retries. Returns its outcome even if the task has begun another run
    /// since.
    /// </summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="jobId">The run's id; null for the run that is current now.</param>
    /// <param name="timeout">The longest wait: more than zero, at most 49 days; null for no limit.</param>
    /// <param name="cancellationToken">Cancels the wait; the run continues.</param>
    /// <returns>
    /// The outcome. A failure is an outcome, not an exception: see <see cref="TaskRun.EnsureSucceeded"/>.
    /// </returns>
    /// <exception cref="TimeoutException">The run has not ended within the timeout. It continues.</exception>
    /// <exception cref="TaskNotFoundException">The task does not exist.</exception>
    /// <exception cref="TaskRunLostException">
    /// The run will not have an outcome: the task was reset, replaced or deleted.
    /// </exception>
    Task<TaskRun> WaitAsync(string taskId, string? jobId, TimeSpan? timeout, CancellationToken cancellationToken);
}
