using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks;

/// <summary>
/// Creates, reads and steers tasks. Any number of clients may do so at once; what a member says has happened when it
/// returns.
/// <para>Every member waits for one answer of the store at most <see cref="KaijuTasksOptions.ClientTimeout"/> and then
/// throws <see cref="TaskStoreTimeoutException"/>. Once the host has stopped, a call that still waits throws
/// <see cref="TaskHostStoppedException"/>: <see cref="WaitAsync"/> as soon as the work of the host is drained, every
/// other member when all of its services have stopped.</para>
/// <para>No member takes part in an ambient transaction (<c>System.Transactions</c>): what it does stays when the scope
/// is rolled back. <see cref="CreateInTransactionAsync"/> joins a transaction of the caller's.</para>
/// </summary>
public interface ITaskClient
{
    /// <summary>Creates a task. It is durable when this returns. One that is due is queued at once.</summary>
    /// <param name="definition">What to run.</param>
    /// <param name="onConflict">What to do when the id is known. Default: refuse.</param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been created.</param>
    /// <returns>The task's id and what was done.</returns>
    /// <exception cref="TaskValidationException">
    /// The definition is refused; everything that is wrong is named and nothing is stored.
    /// </exception>
    /// <exception cref="TaskExistsException">
    /// The id is known, and <paramref name="onConflict"/> does not allow for it.
    /// </exception>
    Task<CreateAnswer> CreateAsync(
        TaskDefinition definition,
        OnConflict onConflict = OnConflict.Fail,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Creates a task inside a transaction of the caller's, on the caller's connection: rolled back, the task has never
    /// existed; committed, it is durable with everything else that the transaction did. The adapters' packages have
    /// extensions that take their own transactions.
    /// </summary>
    /// <param name="definition">What to run.</param>
    /// <param name="transaction">
    /// A transaction on the database of the store, begun by the caller, who ends it too.
    /// </param>
    /// <param name="onConflict">What to do on a known id. Default: refuse.</param>
    /// <param name="cancellationToken">Gives up waiting; the transaction is to be rolled back then.</param>
    /// <exception cref="TaskValidationException">
    /// The definition cannot be run or stored; every reason is named.
    /// </exception>
    /// <exception cref="TaskExistsException">The id is known and may not be replaced.</exception>
    /// <exception cref="NotSupportedException">The store cannot take part in a transaction of the caller's.</exception>
    /// <exception cref="ArgumentException">
    /// The transaction has ended, or is not on the database of the tasks.
    /// </exception>
    Task<CreateAnswer> CreateInTransactionAsync(
        TaskDefinition definition,
        DbTransaction transaction,
        OnConflict onConflict = OnConflict.Fail,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Creates many tasks in one step of the store. Each stands alone: what is wrong with one leaves the others as they
    /// are.
    /// </summary>
    /// <param name="definitions">What to run.</param>
    /// <param name="onConflict">What to do on a known id. Default: refuse.</param>
    /// <param name="cancellationToken">Gives up waiting; the tasks may have been created.</param>
    /// <returns>
    /// An answer for each, in order; <see cref="CreateResult.Invalid"/> with its faults,
    /// <see cref="CreateResult.Refused"/> for a known id.
    /// </returns>
    Task<IReadOnlyList<CreateAnswer>> CreateManyAsync(
        IEnumerable<TaskDefinition> definitions,
        OnConflict onConflict = OnConflict.Fail,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Stores tasks of somewhere else as they are, with results and state, such as those that the Python original has
    /// stored (<see cref="TaskRecord.FromJson"/>). Each stands alone; a known id is refused.
    /// </summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="cancellationToken">Gives up waiting; the tasks may have been imported.</param>
    /// <returns>An answer for each, in order.</returns>
    Task<IReadOnlyList<CreateAnswer>> ImportAsync(
        IEnumerable<TaskRecord> tasks, CancellationToken cancellationToken = default);

    /// <summary>
    /// Changes a task's definition. What describes a task or decides about its future may change at any time; its
    /// commands, kws and app only while it is not under way, its <c>run_at</c> only while it is IDLE, its id never. A
    /// changed cron counts from now and does not fire.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="change">
    /// Makes the new definition from the stored one; called again if somebody else was faster.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been updated.</param>
    /// <returns>The task as it is stored now.</returns>
    /// <exception cref="TaskNotFoundException">There is no such task.</exception>
    /// <exception cref="TaskValidationException">
    /// The new definition cannot be run or stored, or a member may not change now.
    /// </exception>
    Task<TaskRecord> UpdateAsync(
        string taskId, Func<TaskDefinition, TaskDefinition> change, CancellationToken cancellationToken = default);

    /// <summary>
    /// Enables or disables a task. A disabled one is kept as it is: neither queued, claimed, woken nor retried; what
    /// runs ends as it would have.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="enabled">True to enable.</param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been updated.</param>
    /// <exception cref="TaskNotFoundException">There is no such task.</exception>
    Task<TaskRecord> SetEnabledAsync(string taskId, bool enabled, CancellationToken cancellationToken = default);

    /// <summary>
    /// The runs of a task that have ended and are kept (<see cref="KaijuTasksOptions.KeptRuns"/>), the latest first.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// The history of the run that is shown: each result and each failure of all its passes, with its times, in the
    /// order in which they were recorded.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>Marks notifications as read.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="cancellationToken">Gives up waiting; they may have been marked.</param>
    /// <returns>How many were not read before.</returns>
    Task<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes tasks that ended for good longer ago than <paramref name="age"/>; periodic ones and those marked
    /// <see cref="TaskDefinition.System"/> stay.
    /// </summary>
    /// <param name="age">By the time at which they ended; zero for all that have ended.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>How many.</returns>
    Task<int> DeleteEndedAsync(TimeSpan age, CancellationToken cancellationToken = default);

    /// <summary>A task as it stands, or null if there is none with this id.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="System.Text.Json.JsonException">
    /// The stored task cannot be read by this version; lists leave it out.
    /// </exception>
    Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tasks in the order of their creation, read in pages: a task that changes meanwhile may be listed as it was or as
    /// it is.
    /// </summary>
    /// <param name="query">Which. Default: all.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IAsyncEnumerable<TaskRecord> ListAsync(TaskQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>One page of tasks in the order of their creation, for those who page by themselves.</summary>
    /// <param name="query">Which. Default: all.</param>
    /// <param name="after">
    /// Where the page before ended (<see cref="TaskPage.Next"/>). Default: at the beginning.
    /// </param>
    /// <param name="limit">How many at most, 1 to 1,000. Default 100.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<TaskPage> ListPageAsync(
        TaskQuery? query = null,
        TaskCursor? after = null,
        int limit = 100,
        CancellationToken cancellationToken = default);

    /// <summary>Notifications, newest first, read in pages.</summary>
    /// <param name="query">Which. Default: all.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IAsyncEnumerable<TaskNotification> ListNotificationsAsync(
        NotificationQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gives a task the message that it waits for; the message becomes the result of the stage, and the task goes on.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="message">Any JSON, at most <see cref="TaskLimits.MaxResultBytes"/>.</param>
    /// <param name="cancellationToken">Gives up waiting; the message may have been taken.</param>
    /// <returns>False: there is no such task, or it does not wait for a message now; the message is not kept.</returns>
    /// <exception cref="TaskValidationException">The message cannot be stored.</exception>
    Task<bool> SendMessageAsync(string taskId, JsonElement message, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendMessageAsync(string, JsonElement, CancellationToken)"/>
    /// <param name="taskId">The id.</param>
    /// <param name="message">
    /// An object, often anonymous, written as JSON with <see cref="KaijuTasksOptions.SerializerOptions"/>.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting; the message may have been taken.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    Task<bool> SendMessageAsync(string taskId, object? message, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendMessageAsync(string, JsonElement, CancellationToken)"/>
    /// <typeparam name="T">The message's type.</typeparam>
    /// <param name="taskId">The id.</param>
    /// <param name="message">The message.</param>
    /// <param name="typeInfo">How it is written.</param>
    /// <param name="cancellationToken">Gives up waiting; the message may have been taken.</param>
    Task<bool> SendMessageAsync<T>(
        string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels the current run, whatever it does: it ends FAILED with exit code 130 and is not retried. A handler that
    /// is running is told through its token within two seconds. A periodic task goes on with its next occurrence; one
    /// that was waiting for an occurrence leaves that one out.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the run may have been cancelled.</param>
    /// <returns>False: there is no such task, or its run has ended already.</returns>
    Task<bool> CancelAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts a task over, whatever it does: a new run from the first stage, due now, without results.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been reset.</param>
    /// <returns>False: there is no such task.</returns>
    Task<bool> ResetAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>Deletes a task with its results and earlier runs, whatever it does. Its notifications stay.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been deleted.</param>
    /// <returns>False: there is no such task.</returns>
    Task<bool> DeleteAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Waits for the end of the run that is current now, through its retries, and returns its outcome even if the task
    /// has gone on to another run by then. A failure is an outcome, not an exception.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the run goes on.</param>
    /// <exception cref="TaskNotFoundException">There is no such task.</exception>
    /// <exception cref="TaskRunLostException">
    /// The run will have no outcome: the task was reset, replaced or deleted.
    /// </exception>
    Task<TaskRun> WaitAsync(string taskId, CancellationToken cancellationToken = default);
}
