using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks;

/// <summary>Shorter forms of the members of <see cref="ITaskClient"/>.</summary>
public static class TaskClientExtensions
{
    /// <summary>
    /// Creates a task, or updates the stored one with the same id (<see cref="OnConflict.Update"/>): what a host does
    /// at each start for its periodic tasks. Any number of hosts may do so at once, also while the task runs.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="definition">The definition, with an id.</param>
    /// <param name="options">
    /// The options; their <see cref="CreateOptions.OnConflict"/> is not used. Give a
    /// <see cref="CreateOptions.Version"/> if hosts are replaced one by one. Default: no version.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be created or updated.</param>
    /// <returns>A handle whose <see cref="TaskHandle.Result"/> says what happened.</returns>
    /// <exception cref="TaskValidationException">
    /// The definition is invalid or has no id; nothing is stored.
    /// </exception>
    public static Task<TaskHandle> UpsertAsync(
        this ITaskClient client,
        TaskDefinition definition,
        CreateOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var upsert = new CreateOptions
        {
            OnConflict = OnConflict.Update,
            Version = options?.Version,
            Transaction = options?.Transaction,
        };
        return client.CreateAsync(definition, upsert, cancellationToken);
    }

    /// <summary>Creates a task of one stage, due now. It is durable when this returns.</summary>
    /// <param name="client">The client.</param>
    /// <param name="method">The method of the command.</param>
    /// <param name="parameters">
    /// The params: an object, often anonymous, written as JSON with <see cref="KaijuTasksOptions.SerializerOptions"/>.
    /// Default: none.
    /// </param>
    /// <param name="options">The options of the creation. Default: in a transaction of its own.</param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be created.</param>
    /// <returns>A handle of the new task.</returns>
    /// <exception cref="TaskValidationException">The method or the params are invalid; nothing is stored.</exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static Task<TaskHandle> EnqueueAsync(
        this ITaskClient client,
        string method,
        object? parameters = null,
        CreateOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.CreateAsync(
            new TaskDefinition { Commands = [new TaskCommand(method, parameters)] }, options, cancellationToken);
    }

    /// <summary>
    /// Creates a task of one stage, due now, with params of a type with source-generated JSON; for trimmed and
    /// AOT-compiled apps.
    /// </summary>
    /// <typeparam name="T">The type of the params.</typeparam>
    /// <param name="client">The client.</param>
    /// <param name="method">The method of the command.</param>
    /// <param name="parameters">The params.</param>
    /// <param name="typeInfo">The JSON contract of the params' type.</param>
    /// <param name="options">The options of the creation. Default: in a transaction of its own.</param>
    /// <param name="cancellationToken">Cancels the wait; the task may still be created.</param>
    /// <returns>A handle of the new task.</returns>
    /// <exception cref="TaskValidationException">The method or the params are invalid; nothing is stored.</exception>
    public static Task<TaskHandle> EnqueueAsync<T>(
        this ITaskClient client,
        string method,
        T parameters,
        JsonTypeInfo<T> typeInfo,
        CreateOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.CreateAsync(
            new TaskDefinition { Commands = [TaskCommand.Create(method, parameters, typeInfo)] },
            options,
            cancellationToken);
    }

    /// <inheritdoc cref="ITaskClient.WaitAsync"/>
    /// <summary>Waits until the current run of a task has ended, including its retries.</summary>
    public static Task<TaskRun> WaitAsync(
        this ITaskClient client, string taskId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.WaitAsync(taskId, jobId: null, timeout: null, cancellationToken);
    }

    /// <inheritdoc cref="ITaskClient.WaitAsync"/>
    /// <summary>Waits at most some time until the current run of a task has ended, including its retries.</summary>
    public static Task<TaskRun> WaitAsync(
        this ITaskClient client, string taskId, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.WaitAsync(taskId, jobId: null, timeout, cancellationToken);
    }
}
