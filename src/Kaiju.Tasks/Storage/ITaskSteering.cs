using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// What clients and operators do to tasks from outside. Each call says in its <see cref="CallContext"/> who asks, and
/// of which tasks it may be. A task outside that scope is answered as one that does not exist; a new task may bear any
/// name, but its id is refused if a task outside the scope has it.
/// </summary>
public interface ITaskSteering
{
    /// <summary>Creates tasks in a transaction of the caller's; null if the store cannot take part in one.</summary>
    ITransactionalCreation? InCallersTransaction => null;

    /// <summary>
    /// Stores new tasks. Each item stands alone: what is wrong with one leaves the others as they are.
    /// </summary>
    /// <param name="tasks">Definitions that <see cref="TaskDefinitionChecker.Prepare"/> has made complete.</param>
    /// <param name="onConflict">What to do on a known id.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>An answer for each, in order.</returns>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks,
        OnConflict onConflict,
        CallContext context,
        CancellationToken cancellationToken);

    /// <summary>
    /// Stores tasks of somewhere else as they are, with their results and their state (<see cref="TaskImport"/>). Each
    /// item stands alone; a known id is refused.
    /// </summary>
    /// <param name="tasks">
    /// Tasks whose definitions <see cref="TaskDefinitionChecker.PrepareImport"/> has made complete.
    /// </param>
    /// <param name="executors">
    /// Executors that hold some of them, with their last pings; one that is later than the store's time counts as now.
    /// </param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>An answer for each, in order; for an EXECUTED task its claim.</returns>
    ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CallContext context,
        CancellationToken cancellationToken);

    /// <summary>
    /// Puts a definition in the place of an older one, if <see cref="TaskUpdate"/> allows it in the task's state.
    /// </summary>
    /// <param name="definition">The definition, complete.</param>
    /// <param name="revision">
    /// The revision that it was made from: another one means that somebody else was faster.
    /// </param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<UpdateAnswer> UpdateAsync(
        TaskDefinition definition, int revision, CallContext context, CancellationToken cancellationToken);

    /// <summary>Deletes a task with its results; whoever runs it finds its claim lost.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>False: there is no such task.</returns>
    ValueTask<bool> DeleteAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.Reset"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>False: there is no such task.</returns>
    ValueTask<bool> ResetAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.Cancelled"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>False: there is no such task, or its run has ended.</returns>
    ValueTask<bool> CancelAsync(string taskId, CallContext context, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.MessageSent"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="data">The message.</param>
    /// <param name="context">Who asks, and of which tasks it may be.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>False: there is no such task, or it does not wait for a message, or its time for one is over.</returns>
    ValueTask<bool> SendMessageAsync(
        string taskId, JsonElement data, CallContext context, CancellationToken cancellationToken);
}
