using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The answer to the creation of a task, with the client's members for that task. Its JSON shows the answer; a handle
/// cannot be read back from JSON.
/// </summary>
/// <param name="client">The client that the members call.</param>
[JsonConverter(typeof(TaskHandleConverter))]
public sealed class TaskHandle(ITaskClient client)
{
    /// <summary>The task's id; empty if the definition was invalid and named none.</summary>
    public required string TaskId { get; init; }

    /// <summary>
    /// The run that <see cref="WaitAsync(CancellationToken)"/> waits for: the first run of a new task, the current run
    /// of one that existed. Empty for <see cref="CreateResult.Invalid"/>.
    /// </summary>
    public required string JobId { get; init; }

    /// <summary>Whether the task was created.</summary>
    public required CreateResult Result { get; init; }

    /// <summary>The state of the stored task when the creation was answered.</summary>
    public required TaskState State { get; init; }

    /// <summary>
    /// The faults of an invalid definition, one sentence each. Empty for results other than
    /// <see cref="CreateResult.Invalid"/>.
    /// </summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Reads the task as it is now; null if it was deleted.</summary>
    /// <inheritdoc cref="ITaskClient.GetAsync"/>
    public Task<TaskRecord?> GetAsync(CancellationToken cancellationToken = default) =>
        Client.GetAsync(TaskId, cancellationToken);

    /// <summary>Waits until the run <see cref="JobId"/> has ended, including its retries.</summary>
    /// <param name="cancellationToken">Cancels the wait; the run continues.</param>
    /// <returns>
    /// The outcome. A failure is an outcome, not an exception: see <see cref="TaskRun.EnsureSucceeded"/>.
    /// </returns>
    /// <exception cref="TaskNotFoundException">
    /// The task does not exist, or its creation is not committed yet.
    /// </exception>
    /// <exception cref="TaskRunLostException">The run was reset, replaced or deleted.</exception>
    public Task<TaskRun> WaitAsync(CancellationToken cancellationToken = default) =>
        Client.WaitAsync(TaskId, JobId, timeout: null, cancellationToken);

    /// <inheritdoc cref="WaitAsync(CancellationToken)"/>
    /// <param name="timeout">The longest wait: more than zero, at most 49 days.</param>
    /// <param name="cancellationToken">Cancels the wait; the run continues.</param>
    /// <exception cref="TimeoutException">The run has not ended within the timeout. It continues.</exception>
    public Task<TaskRun> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Client.WaitAsync(TaskId, JobId, timeout, cancellationToken);

    /// <inheritdoc cref="ITaskClient.RetryAsync(string, CancellationToken)"/>
    public Task<RetryResult> RetryAsync(CancellationToken cancellationToken = default) =>
        Client.RetryAsync(TaskId, cancellationToken);

    /// <inheritdoc cref="ITaskClient.RetryAsync(string, RetryOptions, CancellationToken)"/>
    public Task<RetryResult> RetryAsync(RetryOptions? options, CancellationToken cancellationToken = default) =>
        Client.RetryAsync(TaskId, options, cancellationToken);

    /// <inheritdoc cref="ITaskClient.CancelAsync"/>
    public Task<bool> CancelAsync(CancellationToken cancellationToken = default) =>
        Client.CancelAsync(TaskId, cancellationToken);

    /// <inheritdoc cref="ITaskClient.ResetAsync"/>
    public Task<bool> ResetAsync(CancellationToken cancellationToken = default) =>
        Client.ResetAsync(TaskId, cancellationToken);

    /// <inheritdoc cref="ITaskClient.DeleteAsync"/>
    public Task<bool> DeleteAsync(CancellationToken cancellationToken = default) =>
        Client.DeleteAsync(TaskId, cancellationToken);

    /// <inheritdoc cref="ITaskClient.SendMessageAsync(string, object?, CancellationToken)"/>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public Task<bool> SendMessageAsync(object? message, CancellationToken cancellationToken = default) =>
        Client.SendMessageAsync(TaskId, message, cancellationToken);

    /// <inheritdoc cref="ITaskClient.SendMessageAsync{T}(string, T, JsonTypeInfo{T}, CancellationToken)"/>
    public Task<bool> SendMessageAsync<T>(
        T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default) =>
        Client.SendMessageAsync(TaskId, message, typeInfo, cancellationToken);

    /// <summary>The task's id and the result, such as <c>nightly (Created)</c>.</summary>
    public override string ToString() => $"{TaskId} ({Result})";

    private ITaskClient Client => Result != CreateResult.Invalid ? client : throw new InvalidOperationException(
        $"The task \"{TaskId}\" was not created: {string.Join(' ', Faults)}");
}
