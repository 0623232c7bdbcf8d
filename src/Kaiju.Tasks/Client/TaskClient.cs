using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Serialization;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Client;

/// <summary>The client over a store: checks what comes in, asks the store, and tells the queue what is queued.</summary>
internal sealed class TaskClient(
    ITaskStore store, ITaskQueue queue, TaskDefinitionChecker checker, TimeProvider clock, KaijuTasksOptions options, ILogger<TaskClient> logger) : ITaskClient
{
    private const int PageSize = 200;
    private const int LargestPage = 1000;

    private readonly JsonSerializerOptions _serializing = options.SerializerOptions;

    public async Task<CreateAnswer> CreateAsync(TaskDefinition definition, OnConflict onConflict, CancellationToken cancellationToken)
    {
        var prepared = checker.Prepare(definition);
        var answer = Accepted((await store.CreateAsync([prepared], onConflict, cancellationToken).ConfigureAwait(false))[0], onConflict);
        await PublishAsync(Queued([prepared], [answer]), cancellationToken).ConfigureAwait(false);
        return answer;
    }

    public async Task<CreateAnswer> CreateInTransactionAsync(
        TaskDefinition definition, DbTransaction transaction, OnConflict onConflict, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (store is not ITransactionalTaskStore transactional)
        {
            throw new NotSupportedException($"{store.GetType().Name} cannot take part in a transaction of the caller's; use a store in the database that the transaction is of.");
        }

        // The queue is not told: what is not committed is not there yet.
        var prepared = checker.Prepare(definition);
        return Accepted((await transactional.CreateAsync([prepared], onConflict, transaction, cancellationToken).ConfigureAwait(false))[0], onConflict);
    }

    public async Task<IReadOnlyList<CreateAnswer>> CreateManyAsync(
        IEnumerable<TaskDefinition> definitions, OnConflict onConflict, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definitions);

        // All of them before any is stored: what the caller's code throws here leaves nothing half done.
        var (answers, prepared) = PrepareEach(definitions, definition => checker.Prepare(definition), definition => definition.Id);
        var stored = await store.CreateAsync([.. prepared.Select(item => item.Value)], onConflict, cancellationToken).ConfigureAwait(false);
        foreach (var ((place, _), answer) in prepared.Zip(stored))
        {
            answers[place] = answer;
        }

        await PublishAsync(Queued(prepared.Select(item => item.Value), stored), cancellationToken).ConfigureAwait(false);
        return answers;
    }

    public async Task<IReadOnlyList<CreateAnswer>> ImportAsync(IEnumerable<TaskRecord> tasks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        var (answers, prepared) = PrepareEach(tasks, checker.PrepareImport, task => task.Definition.Id);

        // An executor of elsewhere never pings here. Known as of now, it is found dead after its lifetime, and its tasks go on.
        var executors = prepared.Select(item => item.Value.ExecutorId).OfType<string>().Distinct()
            .Select(executor => new ExecutorPing(executor, clock.GetUtcNow()));
        var stored = await store.ImportAsync([.. prepared.Select(item => item.Value)], [.. executors], cancellationToken).ConfigureAwait(false);
        foreach (var ((place, task), answer) in prepared.Zip(stored))
        {
            answers[place] = new CreateAnswer(answer.TaskId, answer.Result, task.State);
        }

        return answers;
    }

    public async Task<TaskRecord> UpdateAsync(string taskId, Func<TaskDefinition, TaskDefinition> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentNullException.ThrowIfNull(change);
        while (true)
        {
            var task = await store.GetAsync(taskId, cancellationToken).ConfigureAwait(false) ?? throw new TaskNotFoundException(taskId);
            var changed = checker.Prepare(change(task.Definition));
            if (changed.Id != taskId)
            {
                throw new TaskValidationException(taskId, ["id can never change."]);
            }

            var answer = await store.UpdateAsync(changed, task.Revision, cancellationToken).ConfigureAwait(false);
            switch (answer.Result)
            {
                case UpdateResult.Updated:
                    return await store.GetAsync(taskId, cancellationToken).ConfigureAwait(false) ?? throw new TaskNotFoundException(taskId);
                case UpdateResult.Missing:
                    throw new TaskNotFoundException(taskId);
                case UpdateResult.Refused:
                    throw new TaskValidationException(taskId, answer.Faults);
                default:
                    // Somebody else was faster: their change is the one to build on.
                    continue;
            }
        }
    }

    public Task<TaskRecord> SetEnabledAsync(string taskId, bool enabled, CancellationToken cancellationToken) =>
        UpdateAsync(taskId, definition => definition with { Enabled = enabled }, cancellationToken);

    public Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.ListRunsAsync(taskId, cancellationToken).AsTask();
    }

    public Task<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.GetStagesAsync(taskId, cancellationToken).AsTask();
    }

    public Task<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return store.MarkReadAsync(ids, cancellationToken).AsTask();
    }

    public async Task<int> DeleteEndedAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(age, TimeSpan.Zero);
        var deleted = 0;
        int batch;
        do
        {
            batch = (await store.DeleteEndedAsync(age, PageSize, cancellationToken).ConfigureAwait(false)).Count;
            deleted += batch;
        }
        while (batch == PageSize);
        return deleted;
    }

    public Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.GetAsync(taskId, cancellationToken).AsTask();
    }

    public async IAsyncEnumerable<TaskRecord> ListAsync(TaskQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TaskCursor? after = null;
        do
        {
            var page = await ListPageAsync(query, after, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var task in page.Tasks)
            {
                yield return task;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public Task<TaskPage> ListPageAsync(TaskQuery? query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, LargestPage);
        return store.ListAsync(query ?? new TaskQuery(), after, limit, cancellationToken).AsTask();
    }

    public async IAsyncEnumerable<TaskNotification> ListNotificationsAsync(NotificationQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        query ??= new NotificationQuery();
        for (long? before = query.Before ?? long.MaxValue; before is not null;)
        {
            var page = await store.ListNotificationsAsync(query with { Before = before }, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var notification in page.Notifications)
            {
                yield return notification;
            }

            before = page.Next;
        }
    }

    public Task<bool> SendMessageAsync(string taskId, JsonElement message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.SendMessageAsync(taskId, checker.CheckMessage(taskId, message), cancellationToken).AsTask();
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public Task<bool> SendMessageAsync(string taskId, object? message, CancellationToken cancellationToken) =>
        SendMessageAsync(taskId, Written(taskId, () => JsonInput.Of(message).Written(_serializing).Json), cancellationToken);

    public Task<bool> SendMessageAsync<T>(string taskId, T message, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken) =>
        SendMessageAsync(taskId, Written(taskId, () => JsonWriting.Element(message, typeInfo)), cancellationToken);

    public Task<bool> CancelAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.CancelAsync(taskId, cancellationToken).AsTask();
    }

    public Task<bool> ResetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.ResetAsync(taskId, cancellationToken).AsTask();
    }

    public Task<bool> DeleteAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return store.DeleteAsync(taskId, cancellationToken).AsTask();
    }

    public async Task<TaskRun> WaitAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);

        // Listening begins before the first look, so that an end between the two is heard.
        var signal = new WakeSignal(clock);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Ended) && (hint.TaskId is null || hint.TaskId == taskId))
            {
                signal.Set();
            }
        });
        var task = await store.GetAsync(taskId, cancellationToken).ConfigureAwait(false) ?? throw new TaskNotFoundException(taskId);
        while (true)
        {
            if (await FindOutcomeAsync(taskId, task.JobId, cancellationToken).ConfigureAwait(false) is { } run)
            {
                return run;
            }

            await signal.WaitAsync(options.PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static CreateAnswer Accepted(CreateAnswer answer, OnConflict onConflict) =>
        answer.Result == CreateResult.Refused ? throw new TaskExistsException(answer.TaskId, answer.State, onConflict) : answer;

    private static List<QueuedTask> Queued(IEnumerable<TaskDefinition> definitions, IEnumerable<CreateAnswer> answers) =>
    [
        .. definitions.Zip(answers)
            .Where(pair => pair.Second is { Result: CreateResult.Created or CreateResult.Replaced, State: TaskState.Queued })
            .Select(pair => new QueuedTask(pair.Second.TaskId, pair.First.AppName!)),
    ];

    /// <summary>A hint: the tasks are stored, so nothing that happens here is the caller's business.</summary>
    private async Task PublishAsync(List<QueuedTask> tasks, CancellationToken cancellationToken)
    {
        if (tasks.Count == 0)
        {
            return;
        }

        try
        {
            await queue.PublishAsync(tasks, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.PublishFailed(logger, e, tasks[0].TaskId);
        }
    }

    /// <summary>Prepares each item; those that are refused are answered already.</summary>
    private static (CreateAnswer[] Answers, List<(int Place, T Value)> Prepared) PrepareEach<T>(IEnumerable<T> items, Func<T, T> prepare, Func<T, string?> id)
    {
        var answers = new List<CreateAnswer>();
        var prepared = new List<(int Place, T Value)>();
        foreach (var item in items)
        {
            try
            {
                prepared.Add((answers.Count, prepare(item)));
                answers.Add(default);
            }
            catch (TaskValidationException e)
            {
                answers.Add(new CreateAnswer(id(item) ?? "", CreateResult.Invalid, TaskState.Idle) { Faults = e.Faults });
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
        catch (JsonException e)
        {
            throw new TaskValidationException(taskId, [$"The message cannot be written as JSON: {e.Message}"]);
        }
    }

    private async Task<TaskRun?> FindOutcomeAsync(string taskId, string jobId, CancellationToken cancellationToken)
    {
        if (await store.GetRunAsync(taskId, jobId, cancellationToken).ConfigureAwait(false) is { } run)
        {
            return run;
        }

        var task = await store.GetAsync(taskId, cancellationToken).ConfigureAwait(false)
            ?? throw new TaskRunLostException(taskId, jobId, "the task was deleted.");
        if (task.JobId == jobId)
        {
            return null;
        }

        // It may have ended, and the next run begun, between the two questions.
        return await store.GetRunAsync(taskId, jobId, cancellationToken).ConfigureAwait(false)
            ?? throw new TaskRunLostException(taskId, jobId, "the task was reset or replaced, or has had more runs since than are kept.");
    }
}
