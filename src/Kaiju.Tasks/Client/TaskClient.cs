using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Client;

/// <summary>
/// The client over a store: checks what comes in, asks the store, and tells the queue what is queued.
/// </summary>
internal sealed class TaskClient(
    ClientCalls calls,
    ClientReading reading,
    QueuePublisher publisher,
    TaskDefinitionChecker checker,
    KaijuTasksOptions options)
    : ITaskClient
{
    /// <summary>How many tasks one step of a bulk operation deletes.</summary>
    private const int BulkSize = 200;

    private readonly ClientReading _reading = reading;
    private readonly DefinitionChanges _changes = new(calls, reading, checker);
    private readonly JsonSerializerOptions _serializing = TaskTemplateConverter.OfData(options.SerializerOptions);

    public async Task<CreateAnswer> CreateAsync(
        TaskDefinition definition, OnConflict onConflict, CancellationToken cancellationToken)
    {
        var prepared = checker.Prepare(definition);
        var created = await calls.AskAsync(
            ClientCall.Write(nameof(CreateAsync), prepared.Id),
            (prepared, onConflict),
            static (store, asked, token) =>
                store.CreateAsync([asked.prepared], asked.onConflict, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        var answer = Accepted(created[0], onConflict);
        await publisher.PublishAsync([prepared], [answer], cancellationToken).ConfigureAwait(false);
        return answer;
    }

    public async Task<CreateAnswer> CreateInTransactionAsync(
        TaskDefinition definition,
        DbTransaction transaction,
        OnConflict onConflict,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (!calls.IsTransactional)
        {
            throw new NotSupportedException(
                $"{calls.StoreName} cannot take part in a transaction of the caller's; use a store in the database "
                    + "that the transaction is of.");
        }

        // The queue is not told: what is not committed is not there yet.
        var prepared = checker.Prepare(definition);
        var created = await calls.AskAsync(
            ClientCall.Write(nameof(CreateInTransactionAsync), prepared.Id) with { UsesConnection = true },
            (prepared, onConflict, transaction),
            static (store, asked, token) => store.InCallersTransaction!.CreateAsync(
                [asked.prepared], asked.onConflict, asked.transaction, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        return Accepted(created[0], onConflict);
    }

    public async Task<IReadOnlyList<CreateAnswer>> CreateManyAsync(
        IEnumerable<TaskDefinition> definitions, OnConflict onConflict, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definitions);

        // All of them before any is stored: what the caller's code throws here leaves nothing half done.
        var (answers, prepared) = PrepareEach(
            definitions, definition => checker.Prepare(definition), definition => definition.Id);
        var stored = await calls.AskAsync(
            ClientCall.Write(nameof(CreateManyAsync)),
            (Definitions: prepared.ConvertAll(item => item.Value), onConflict),
            static (store, asked, token) =>
                store.CreateAsync(asked.Definitions, asked.onConflict, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        foreach (var ((place, _), answer) in prepared.Zip(stored))
        {
            answers[place] = answer;
        }

        await publisher.PublishAsync(
            prepared.Select(item => item.Value), stored, cancellationToken).ConfigureAwait(false);
        return answers;
    }

    public async Task<IReadOnlyList<CreateAnswer>> ImportAsync(
        IEnumerable<TaskRecord> tasks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        var (answers, prepared) = PrepareEach(tasks, checker.PrepareImport, task => task.Definition?.Id);

        // An executor of elsewhere never pings here. Known as of the store's present, it is found dead after its
        // lifetime, and its tasks go on.
        var executors = prepared.Select(item => item.Value.ExecutorId).OfType<string>().Distinct()
            .Select(executor => new ExecutorPing(executor, DateTimeOffset.MaxValue));
        var stored = await calls.AskAsync(
            ClientCall.Write(nameof(ImportAsync)),
            (Tasks: prepared.ConvertAll(item => item.Value), Executors: executors.ToList()),
            static (store, asked, token) => store.ImportAsync(asked.Tasks, asked.Executors, CallContext.Empty, token),
            cancellationToken).ConfigureAwait(false);
        foreach (var ((place, task), answer) in prepared.Zip(stored))
        {
            answers[place] = new CreateAnswer(answer.TaskId, answer.Result, task.State);
        }

        return answers;
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
        int batch;
        do
        {
            batch = (await calls.AskAsync(
                ClientCall.Write(nameof(DeleteEndedAsync)),
                age,
                static (store, age, token) => store.DeleteEndedAsync(age, BulkSize, token),
                cancellationToken)
                .ConfigureAwait(false)).Count;
            deleted += batch;
        }
        while (batch == BulkSize);
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
            taskId, Written(taskId, () => JsonInput.Of(message).Owned(_serializing, "message")), cancellationToken);

    public Task<bool> SendMessageAsync<T>(
        string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken) =>
        SendMessageAsync(
            taskId,
            Written(taskId, () => JsonWriting.Element(message, TaskTemplateConverter.OfData(typeInfo), "message")),
            cancellationToken);

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

    public Task<TaskRun> WaitAsync(string taskId, CancellationToken cancellationToken) =>
        _reading.WaitAsync(taskId, cancellationToken);

    private static CreateAnswer Accepted(CreateAnswer answer, OnConflict onConflict) =>
        answer.Result == CreateResult.Refused
            ? throw new TaskExistsException(answer.TaskId, answer.State, onConflict)
            : answer;

    /// <summary>Prepares each item; those that are refused are answered already.</summary>
    private static (CreateAnswer[] Answers, List<(int Place, T Value)> Prepared) PrepareEach<T>(
        IEnumerable<T> items, Func<T, T> prepare, Func<T, string?> id)
    {
        var answers = new List<CreateAnswer>();
        var prepared = new List<(int Place, T Value)>();
        foreach (var item in items)
        {
            if (item is null)
            {
                answers.Add(
                    new CreateAnswer("", CreateResult.Invalid, TaskState.Idle)
                    {
                        Faults = ["The item is null; it must be a task."],
                    });
                continue;
            }

            try
            {
                prepared.Add((answers.Count, prepare(item)));
                answers.Add(default);
            }
            catch (TaskValidationException e)
            {
                answers.Add(
                    new CreateAnswer(id(item) ?? "", CreateResult.Invalid, TaskState.Idle) { Faults = e.Faults });
            }
        }

        return ([.. answers], prepared);
    }

    private static JsonElement Written(string taskId, Func<JsonElement> write)
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
