using System.Data.Common;
using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts;

/// <summary>
/// The members of <see cref="ITaskSteering"/> with <see cref="CallContext.Empty"/>: an unknown caller that reaches
/// every task.
/// </summary>
public static class UnscopedSteering
{
    /// <summary>Like <see cref="ITaskSteering.CreateAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        this ITaskSteering store,
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        CancellationToken cancellationToken) => store.CreateAsync(tasks,
        onConflict,
        CallContext.Empty,
        cancellationToken);

    /// <summary>
    /// Like <see cref="ITransactionalCreation.CreateAsync"/>, for an unknown caller that reaches every task.
    /// </summary>
    public static ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        this ITaskSteering store,
        IReadOnlyList<TaskDefinition> tasks,
        ConflictRule onConflict,
        DbTransaction transaction,
        CancellationToken cancellationToken) =>
        store.InCallersTransaction!.CreateAsync(tasks, onConflict, transaction, CallContext.Empty, cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.ImportAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(
        this ITaskSteering store,
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<ExecutorPing> executors,
        CancellationToken cancellationToken) => store.ImportAsync(tasks,
        executors,
        CallContext.Empty,
        cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.UpdateAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<UpdateAnswer> UpdateAsync(
        this ITaskSteering store, TaskDefinition definition, int revision, CancellationToken cancellationToken) =>
        store.UpdateAsync(definition, revision, CallContext.Empty, cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.DeleteAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<bool> DeleteAsync(
        this ITaskSteering store, string taskId, CancellationToken cancellationToken) =>
        store.DeleteAsync(taskId, CallContext.Empty, cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.ResetAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<bool> ResetAsync(
        this ITaskSteering store, string taskId, CancellationToken cancellationToken) =>
        store.ResetAsync(taskId, CallContext.Empty, cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.RetryAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<RetryResult> RetryAsync(
        this ITaskSteering store, string taskId, CancellationToken cancellationToken) =>
        store.RetryAsync(taskId, null, CallContext.Empty, cancellationToken);

    /// <summary>
    /// Like <see cref="ITaskSteering.ChangeManyAsync"/>, for an unknown caller that reaches every task.
    /// </summary>
    public static ValueTask<BulkAnswer> ChangeManyAsync(
        this ITaskSteering store, BulkRequest request, CancellationToken cancellationToken) =>
        store.ChangeManyAsync(request, CallContext.Empty, cancellationToken);

    /// <summary>Like <see cref="ITaskSteering.CancelAsync"/>, for an unknown caller that reaches every task.</summary>
    public static ValueTask<bool> CancelAsync(
        this ITaskSteering store, string taskId, CancellationToken cancellationToken) =>
        store.CancelAsync(taskId, CallContext.Empty, cancellationToken);

    /// <summary>
    /// Like <see cref="ITaskSteering.SendMessageAsync"/>, for an unknown caller that reaches every task.
    /// </summary>
    public static ValueTask<bool> SendMessageAsync(
        this ITaskSteering store, string taskId, JsonElement data, CancellationToken cancellationToken) =>
        store.SendMessageAsync(taskId, data, CallContext.Empty, cancellationToken);
}
