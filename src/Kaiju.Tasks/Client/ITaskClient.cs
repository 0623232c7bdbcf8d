using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Serialization;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks;

/// <summary>Creates, reads and steers tasks. Any number of clients may do so at once; what a member says has happened when it returns.</summary>
public interface ITaskClient
{
    /// <summary>Creates a task. It is durable when this returns. One that is due is queued at once.</summary>
    /// <param name="definition">What to run.</param>
    /// <param name="onConflict">What to do when the id is known. Default: refuse.</param>
    /// <param name="cancellationToken">Gives up waiting; the task may have been created.</param>
    /// <returns>The task's id and what was done.</returns>
    /// <exception cref="TaskValidationException">The definition is refused; everything that is wrong is named and nothing is stored.</exception>
    /// <exception cref="TaskExistsException">The id is known, and <paramref name="onConflict"/> does not allow for it.</exception>
    Task<CreateAnswer> CreateAsync(TaskDefinition definition, OnConflict onConflict = OnConflict.Fail, CancellationToken cancellationToken = default);

    /// <summary>A task as it stands, or null if there is none with this id.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>Tasks in the order of their creation, read in pages: a task that changes meanwhile may be listed as it was or as it is.</summary>
    /// <param name="query">Which. Default: all.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IAsyncEnumerable<TaskRecord> ListAsync(TaskQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Notifications, newest first, read in pages.</summary>
    /// <param name="query">Which. Default: all.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IAsyncEnumerable<TaskNotification> ListNotificationsAsync(NotificationQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Gives a task the message that it waits for; the message becomes the result of the stage, and the task goes on.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="message">Any JSON, at most <see cref="TaskLimits.MaxResultBytes"/>.</param>
    /// <param name="cancellationToken">Gives up waiting; the message may have been taken.</param>
    /// <returns>False: there is no such task, or it does not wait for a message now; the message is not kept.</returns>
    /// <exception cref="TaskValidationException">The message cannot be stored.</exception>
    Task<bool> SendMessageAsync(string taskId, JsonElement message, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendMessageAsync(string, JsonElement, CancellationToken)"/>
    /// <param name="taskId">The id.</param>
    /// <param name="message">An object, often anonymous, written as JSON with <see cref="KaijuTasksOptions.SerializerOptions"/>.</param>
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
    Task<bool> SendMessageAsync<T>(string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels the current run, whatever it does: it ends FAILED with exit code 130 and is not retried. A handler that is running is told
    /// through its token within two seconds. A periodic task goes on with its next occurrence; one that was waiting for an occurrence leaves that one out.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the run may have been cancelled.</param>
    /// <returns>False: there is no such task, or its run has ended already.</returns>
    Task<bool> CancelAsync(string taskId, CancellationToken cancellationToken = default);

    /// <summary>Starts a task over, whatever it does: a new run from the first stage, due now, without results.</summary>
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
    /// Waits for the end of the run that is current now, through its retries, and returns its outcome even if the task has gone on to
    /// another run by then. A failure is an outcome, not an exception.
    /// </summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the run goes on.</param>
    /// <exception cref="TaskNotFoundException">There is no such task.</exception>
    /// <exception cref="TaskRunLostException">The run will have no outcome: the task was reset, replaced or deleted.</exception>
    Task<TaskRun> WaitAsync(string taskId, CancellationToken cancellationToken = default);
}
