using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// Changes tasks for clients and operators. Each call has a <see cref="CallContext"/> with the caller and its scope. A
/// task outside that scope is answered like a missing one. A new task may be outside the scope, but its id is refused
/// if a stored task outside the scope has it.
/// </summary>
public interface ITaskSteering
{
    /// <summary>
    /// The creation of tasks in a transaction of the caller's. Default: null, for a store that does not support it.
    /// </summary>
    ITransactionalCreation? InCallersTransaction => null;

    /// <summary>
    /// Stores new tasks. Each item is answered independently: a refused one does not affect the others.
    /// </summary>
    /// <param name="tasks">
    /// Definitions with all defaults filled in by <see cref="TaskDefinitionChecker.Prepare"/>.
    /// </param>
    /// <param name="onConflict">The action for an id that is already known, and the version.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>An answer for each task, in order.</returns>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CallContext context,
        CancellationToken cancellationToken);

    /// <summary>
    /// Stores exported tasks with their results and their state unchanged (<see cref="TaskImport"/>). Each item is
    /// answered independently; a known id is refused.
    /// </summary>
    /// <param name="tasks">
    /// Tasks whose definitions have all defaults filled in by <see cref="TaskDefinitionChecker.PrepareImport"/>.
    /// </param>
    /// <param name="executors">
    /// The executors that hold some of the tasks, with their last pings. A ping after the store's time counts as now.
    /// </param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>An answer for each task, in order; for an EXECUTED task with its claim.</returns>
    ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken);

    /// <summary>
    /// Replaces a task's definition, if <see cref="TaskUpdate"/> allows it in the task's state.
    /// </summary>
    /// <param name="definition">The definition with all defaults filled in.</param>
    /// <param name="revision">
    /// The revision on which the definition is based; if the stored one is different, another update came first.
    /// </param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken);

    /// <summary>Deletes a task with its results. An executor that runs it finds its claim lost.</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if there is no such task.</returns>
    ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Resets a task (<see cref="TaskEvent.Reset"/>).</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if there is no such task.</returns>
    ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Retries a run that failed (<see cref="TaskEvent.Retried"/>).</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="change">
    /// The changes with which the run begins a new pass, checked by the client; null to resume in its pass.
    /// </param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>The decision of <see cref="TaskLifecycle.JudgeRetry"/>.</returns>
    ValueTask<RetryResult> RetryAsync(
        string taskId, RetryChange? change, CallContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Makes one step of a bulk operation: changes the next tasks that a query selects, in one transaction. A task that
    /// its state protects from the change is counted, and does not affect the others.
    /// </summary>
    /// <param name="request">The change, the tasks and the position.</param>
    /// <param name="context">The caller and its scope. Tasks outside the scope are left out.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>
    /// The counts of the step. A step may be short or empty although others follow, since it reads a bounded number of
    /// rows and bytes.
    /// </returns>
    ValueTask<BulkAnswer> ChangeManyAsync(
        BulkRequest request, CallContext context, CancellationToken cancellationToken);

    /// <summary>Cancels a task's run (<see cref="TaskEvent.Cancelled"/>).</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if there is no such task, or its run has ended.</returns>
    ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Sends a message to a task that waits for one (<see cref="TaskEvent.MessageSent"/>).</summary>
    /// <param name="taskId">The task's id.</param>
    /// <param name="data">The message.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if there is no such task, it does not wait for a message, or its wait has timed out.</returns>
    ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Pauses an app or a method. It replaces an earlier pause of the same app and method. The claims of a paused app
    /// end within a second in every process; tasks of a paused method that are queued already are held by
    /// <see cref="IManagerDuties.RepairHoldsAsync"/>.
    /// </summary>
    /// <param name="pause">The pause.</param>
    /// <param name="context">
    /// The caller. Its scope must contain every task of the pause: it has the app and no list of groups or users.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if the pause is outside the scope.</returns>
    /// <exception cref="ArgumentException">The pause is invalid.</exception>
    ValueTask<bool> PauseAsync(TaskPause pause, CallContext context, CancellationToken cancellationToken);

    /// <summary>Ends the pause of an app or of a method.</summary>
    /// <param name="appName">The app of the pause; null for a pause in all apps.</param>
    /// <param name="method">The method of the pause; null for a pause of the whole app.</param>
    /// <param name="context">The caller and its scope.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still complete.</param>
    /// <returns>False if there is no such pause in the scope.</returns>
    /// <exception cref="ArgumentException">Both are null, or a name is invalid.</exception>
    ValueTask<bool> ResumeAsync(
        string? appName, string? method, CallContext context, CancellationToken cancellationToken);
}
