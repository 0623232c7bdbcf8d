using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Validation;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Client;

/// <summary>The client over a store: validates input, calls the store, and publishes queued tasks.</summary>
internal sealed class TaskClient(
    ClientCalls calls,
    ClientReading reading,
    QueuePublisher publisher,
    TaskDefinitionChecker checker,
    KaijuTasksOptions options)
    : ITaskClient
{
    /// <summary>The most tasks that one step of a bulk operation deletes.</summary>
    private const int BulkSize = 200;

    private readonly ClientReading _reading = reading;
    private readonly BulkChanges _bulk = new(calls);
    private readonly DefinitionChanges _changes = new(calls, reading, checker);
    private readonly JsonSerializerOptions _serializing = TaskTemplateConverter.OfData(options.SerializerOptions);

    public async Task<TaskHandle> CreateAsync(
        TaskDefinition definition, CreateOptions? options, CancellationToken cancellationToken)
    {
        options ??= CreateOptions.Default;
        ThrowIfNotTransactional(options);
        var prepared = Prepare(definition, options);
        var answers = await StoreAsync(
            ClientCall.Write(nameof(CreateAsync), prepared.Id), [prepared], options, cancellationToken)
            .ConfigureAwait(false);
        return answers[0].Result == CreateResult.Refused
            ? throw new TaskExistsException(answers[0].TaskId, answers[0].State, options.OnConflict)
            : Handle(answers[0]);
    }

    public async Task<IReadOnlyList<TaskHandle>> CreateManyAsync(
        IEnumerable<TaskDefinition> definitions, CreateOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definitions);
        options ??= CreateOptions.Default;
        ThrowIfNotTransactional(options);

        // All are prepared before any is stored: if the caller's code throws here, none is stored.
        var (handles, prepared) = PrepareEach(
            definitions, definition => Prepare(definition, options), definition => definition.Id);
        var answers = await StoreAsync(
            ClientCall.Write(nameof(CreateManyAsync)),
            prepared.ConvertAll(item => item.Value),
            options,
            cancellationToken).ConfigureAwait(false);
        foreach (var ((place, _), answer) in prepared.Zip(answers))
        {
            handles[place] = Handle(answer);
        }

        return handles;
    }

    public async Task<IReadOnlyList<TaskHandle>> ImportAsync(
        IEnumerable<TaskRecord> tasks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        var (handles, prepared) = PrepareEach(tasks, checker.PrepareImport, task => task.Definition?.Id);

        // The executors of the other store never ping this one. They are registered as of now, so they are found dead
        // after their lifetime, and their tasks are suspended and queued again.
        var executors = prepared.Select(item => item.Value.ExecutorId).OfType<string>().Distinct()
            .Select(executor => new ExecutorPing(executor, DateTimeOffset.MaxValue));
        var answers = await calls.AskAsync(
            ClientCall.Write(nameof(ImportAsync)),
            (Tasks: prepared.ConvertAll(item => item.Value), Executors: executors.ToList()),
            static (store, asked, token) => store.ImportAsync(asked.Tasks, asked.Executors, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        foreach (var ((place, task), answer) in prepared.Zip(answers))
        {
            handles[place] = Handle(answer.TaskId, task.JobId, answer.Result, task.State);
        }

        return handles;
    }

    public Task<TaskRecord> UpdateAsync(
        string taskId, Func<TaskDefinition, TaskDefinition> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentNullException.ThrowIfNull(change);
        return _changes.ApplyAsync(nameof(UpdateAsync), taskId, change, cancellationToken);
    }

    public Task<TaskRecord> SetEnabledAsync(string taskId, bool enabled, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return _changes.ApplyAsync(
            nameof(SetEnabledAsync), taskId, definition => definition with { Enabled = enabled }, cancellationToken);
    }

    public Task<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return calls.AskAsync(
            ClientCall.Write(nameof(MarkReadAsync)),
            ids,
            static (store, ids, token) => store.MarkReadAsync(ids, token),
            cancellationToken)
            .AsTask();
    }

    public async Task<int> DeleteEndedAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(age, TimeSpan.Zero);
        var deleted = 0;
        foreach (var state in new[] { TaskState.Finished, TaskState.Failed })
        {
            int batch;
            do
            {
                batch = (await calls.AskAsync(
                    ClientCall.Write(nameof(DeleteEndedAsync)),
                    (state, age),
                    static (store, ended, token) => store.DeleteEndedAsync(ended.state, ended.age, BulkSize, token),
                    cancellationToken)
                    .ConfigureAwait(false)).Count;
                deleted += batch;
            }
            while (batch == BulkSize);
        }

        return deleted;
    }

    public Task<bool> SendMessageAsync(string taskId, JsonElement message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Write(nameof(SendMessageAsync), taskId),
            (taskId, message: checker.CheckMessage(taskId, message)),
            static (store, sent, token) => store.SendMessageAsync(sent.taskId, sent.message, CallContext.Empty, token),
            cancellationToken).AsTask();
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public Task<bool> SendMessageAsync(string taskId, object? message, CancellationToken cancellationToken) =>
        SendMessageAsync(
            taskId, Write(taskId, () => JsonInput.Of(message).Owned(_serializing, "message")), cancellationToken);

    public Task<bool> SendMessageAsync<T>(
        string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken) =>
        SendMessageAsync(
            taskId,
            Write(taskId, () => JsonWriting.Element(message, TaskTemplateConverter.OfData(typeInfo), "message")),
            cancellationToken);

    public Task<RetryResult> RetryAsync(string taskId, CancellationToken cancellationToken) =>
        RetryAsync(taskId, options: null, cancellationToken);

    public async Task<RetryResult> RetryAsync(
        string taskId, RetryOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        var change = options is null
            ? null
            : await _changes.CheckAsync(nameof(RetryAsync), taskId, options, cancellationToken).ConfigureAwait(false);
        return await calls.AskAsync(
            ClientCall.Write(nameof(RetryAsync), taskId),
            (taskId, change),
            static (store, asked, token) =>
                store.RetryAsync(asked.taskId, asked.change, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> CancelAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Write(nameof(CancelAsync), taskId),
            taskId,
            static (store, id, token) => store.CancelAsync(id, CallContext.Empty, token),
            cancellationToken).AsTask();
    }

    public Task<bool> ResetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Write(nameof(ResetAsync), taskId),
            taskId,
            static (store, id, token) => store.ResetAsync(id, CallContext.Empty, token),
            cancellationToken).AsTask();
    }

    public Task<bool> DeleteAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Write(nameof(DeleteAsync), taskId),
            taskId,
            static (store, id, token) => store.DeleteAsync(id, CallContext.Empty, token),
            cancellationToken).AsTask();
    }

    public Task<BulkResult> RetryManyAsync(TaskQuery query, bool dryRun, CancellationToken cancellationToken) =>
        _bulk.ApplyAsync(nameof(RetryManyAsync), BulkVerb.Retry, query, dryRun, cancellationToken);

    public Task<BulkResult> CancelManyAsync(TaskQuery query, bool dryRun, CancellationToken cancellationToken) =>
        _bulk.ApplyAsync(nameof(CancelManyAsync), BulkVerb.Cancel, query, dryRun, cancellationToken);

    public Task<BulkResult> DeleteManyAsync(TaskQuery query, bool dryRun, CancellationToken cancellationToken) =>
        _bulk.ApplyAsync(nameof(DeleteManyAsync), BulkVerb.Delete, query, dryRun, cancellationToken);

    public async Task PauseAsync(TaskPause pause, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(pause);
        await calls.AskAsync(
            ClientCall.Write(nameof(PauseAsync)),
            pause,
            static (store, pause, token) => store.PauseAsync(pause, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> ResumeAsync(string? appName, string? method, CancellationToken cancellationToken)
    {
        PauseRules.ThrowIfInvalid(appName, method);
        return calls.AskAsync(
            ClientCall.Write(nameof(ResumeAsync)),
            (appName, method),
            static (store, paused, token) =>
                store.ResumeAsync(paused.appName, paused.method, CallContext.Empty, token),
            cancellationToken).AsTask();
    }

    public Task<IReadOnlyList<TaskPause>> ListPausesAsync(CancellationToken cancellationToken) => calls.AskAsync(
        ClientCall.Read(nameof(ListPausesAsync)),
        0,
        static (store, _, token) => store.ListPausesAsync(token),
        cancellationToken).AsTask();

    public Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.GetAsync(taskId, cancellationToken);

    public Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.ListRunsAsync(taskId, cancellationToken);

    public Task<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.GetStagesAsync(taskId, cancellationToken);

    public IAsyncEnumerable<TaskRecord> ListAsync(TaskQuery? query, CancellationToken cancellationToken) =>
        _reading.ListAsync(query, cancellationToken);

    public Task<TaskPage> ListPageAsync(
        TaskQuery? query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        _reading.ListPageAsync(query, after, limit, cancellationToken);

    public IAsyncEnumerable<TaskNotification> ListNotificationsAsync(
        NotificationQuery? query, CancellationToken cancellationToken) =>
        _reading.ListNotificationsAsync(query, cancellationToken);

    public Task<int> CountAsync(TaskQuery? query, int atMost, CancellationToken cancellationToken) =>
        _reading.CountAsync(query, atMost, cancellationToken);

    public Task<NotificationPage> ListNotificationPageAsync(
        NotificationQuery? query, NotificationCursor? after, int limit, CancellationToken cancellationToken) =>
        _reading.ListNotificationPageAsync(query, after, limit, cancellationToken);

    public Task<TaskRun> WaitAsync(
        string taskId, string? jobId, TimeSpan? timeout, CancellationToken cancellationToken) =>
        _reading.WaitAsync(taskId, jobId, timeout, cancellationToken);

    /// <summary>Prepares a definition. An update finds its task by an id of the caller's.</summary>
    private TaskDefinition Prepare(TaskDefinition definition, CreateOptions options) =>
        options.OnConflict == OnConflict.Update && definition is { Id: null }
            ? throw new TaskValidationException(
                null, ["id is missing; OnConflict.Update finds the task to update by it."])
            : checker.Prepare(definition);

    /// <summary>
    /// Stores definitions, and publishes the queued tasks unless the caller has not committed them yet.
    /// </summary>
    private async ValueTask<IReadOnlyList<CreateAnswer>> StoreAsync(
        ClientCall call,
        IReadOnlyList<TaskDefinition> prepared,
        CreateOptions options,
        CancellationToken cancellationToken)
    {
        var rule = new ConflictRule(options.OnConflict, options.Version);
        if (options.Transaction is { } transaction)
        {
            return await calls.AskAsync(
                call with { UsesConnection = true },
                (prepared, rule, transaction),
                static (store, asked, token) => store.InCallersTransaction!.CreateAsync(
                    asked.prepared, asked.rule, asked.transaction, CallContext.Empty, token),
                cancellationToken).ConfigureAwait(false);
        }

        var answers = await calls.AskAsync(
            call,
            (prepared, rule),
            static (store, asked, token) =>
                store.CreateAsync(asked.prepared, asked.rule, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        await publisher.PublishAsync(prepared, answers, cancellationToken).ConfigureAwait(false);
        return answers;
    }

    private void ThrowIfNotTransactional(CreateOptions options)
    {
        if (options.Transaction is not null && !calls.IsTransactional)
        {
            throw new NotSupportedException(
                $"{calls.StoreName} cannot join a transaction of the caller; use a store in the database of the "
                    + "transaction.");
        }
    }

    private TaskHandle Handle(CreateAnswer answer) => Handle(answer.TaskId, answer.JobId, answer.Result, answer.State);

    private TaskHandle Handle(string taskId, string jobId, CreateResult result, TaskState state) => new(this)
    {
        TaskId = taskId,
        JobId = jobId,
        Result = result,
        State = state,
    };

    private TaskHandle Invalid(string? taskId, IReadOnlyList<string> faults) => new(this)
    {
        TaskId = taskId ?? "",
        JobId = "",
        Result = CreateResult.Invalid,
        State = TaskState.Idle,
        Faults = faults,
    };

    /// <summary>Prepares each item. Invalid items get their handles here.</summary>
    private (TaskHandle[] Handles, List<(int Place, T Value)> Prepared) PrepareEach<T>(
        IEnumerable<T> items, Func<T, T> prepare, Func<T, string?> id)
    {
        var handles = new List<TaskHandle>();
        var prepared = new List<(int Place, T Value)>();
        foreach (var item in items)
        {
            if (item is null)
            {
                handles.Add(Invalid(null, ["The item is null; it must be a task."]));
                continue;
            }

            try
            {
                prepared.Add((handles.Count, prepare(item)));
                handles.Add(null!);
            }
            catch (TaskValidationException e)
            {
                handles.Add(Invalid(id(item), e.Faults));
            }
        }

        return ([.. handles], prepared);
    }

    private static JsonElement Write(string taskId, Func<JsonElement> write)
    {
        try
        {
            return write();
        }
        catch (UnwritableException e)
        {
            throw e.ForCaller(taskId);
        }
    }
}
