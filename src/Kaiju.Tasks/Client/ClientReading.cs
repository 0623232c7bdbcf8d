using System.Runtime.CompilerServices;

namespace Kaiju.Tasks.Client;

/// <summary>What of the client changes nothing: reads, pages and waits.</summary>
internal sealed class ClientReading(ClientCalls calls, WaiterHub waiters, ClientLifetime lifetime)
{
    private const int PageSize = 200;
    private const int LargestPage = 1000;

    public Task<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Read(nameof(GetAsync), taskId),
            taskId,
            static (store, id, token) => store.GetAsync(id, token),
            cancellationToken)
            .AsTask();
    }

    public Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Read(nameof(ListRunsAsync), taskId),
            taskId,
            static (store, id, token) => store.ListRunsAsync(id, token),
            cancellationToken).AsTask();
    }

    public Task<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        return calls.AskAsync(
            ClientCall.Read(nameof(GetStagesAsync), taskId),
            taskId,
            static (store, id, token) => store.GetStagesAsync(id, token),
            cancellationToken).AsTask();
    }

    public async IAsyncEnumerable<TaskRecord> ListAsync(
        TaskQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TaskCursor? after = null;
        do
        {
            var page = await ListPageAsync(
                nameof(ListAsync), query, after, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var task in page.Tasks)
            {
                yield return task;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public Task<TaskPage> ListPageAsync(
        TaskQuery? query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, LargestPage);
        return ListPageAsync(nameof(ListPageAsync), query, after, limit, cancellationToken).AsTask();
    }

    public async IAsyncEnumerable<TaskNotification> ListNotificationsAsync(
        NotificationQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        query ??= new NotificationQuery();
        for (long? before = query.Before ?? long.MaxValue; before is not null;)
        {
            var page = await calls.AskAsync(
                ClientCall.Read(nameof(ListNotificationsAsync)),
                query with { Before = before },
                static (store, query, token) => store.ListNotificationsAsync(query, PageSize, token),
                cancellationToken).ConfigureAwait(false);
            foreach (var notification in page.Notifications)
            {
                yield return notification;
            }

            before = page.Next;
        }
    }

    public async Task<TaskRun> WaitAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.WaitsEnded);
        try
        {
            return await WaitForEndAsync(taskId, ends.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TaskHostStoppedException(
                ClientCall.Read(nameof(WaitAsync), taskId).ToString(), mayHaveHappened: false);
        }
    }

    public async Task<TaskRecord> FindAsync(ClientCall call, string taskId, CancellationToken cancellationToken) =>
        await calls.AskAsync(
            call,
            taskId,
            static (store, id, token) => store.GetAsync(id, token),
            cancellationToken).ConfigureAwait(false)
            ?? throw new TaskNotFoundException(taskId);

    private async Task<TaskRun> WaitForEndAsync(string taskId, CancellationToken cancellationToken)
    {
        // The waiter hears hints before the first look, so that an end between the two is heard.
        using var waiter = waiters.Enter(taskId);
        var task = await FindAsync(
            ClientCall.Read(nameof(WaitAsync), taskId), taskId, cancellationToken).ConfigureAwait(false);
        if (task.HasEnded)
        {
            return TaskRun.Of(taskId, task.Managed, task.Result);
        }

        waiter.JobId = task.JobId;
        while (true)
        {
            await waiter.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (await FindOutcomeAsync(taskId, task.JobId, cancellationToken).ConfigureAwait(false) is { } run)
            {
                return run;
            }
        }
    }

    private ValueTask<TaskPage> ListPageAsync(
        string member,
        TaskQuery? query,
        TaskCursor? after,
        int limit,
        CancellationToken cancellationToken) => calls.AskAsync(
        ClientCall.Read(member),
        (Query: query ?? new TaskQuery(), after, limit),
        static (store, page, token) => store.ListAsync(page.Query, page.after, page.limit, token),
        cancellationToken);

    private async Task<TaskRun?> FindOutcomeAsync(string taskId, string jobId, CancellationToken cancellationToken)
    {
        if (await FindRunAsync(taskId, jobId, cancellationToken).ConfigureAwait(false) is { } run)
        {
            return run;
        }

        var task = await calls.AskAsync(
            ClientCall.Read(nameof(WaitAsync), taskId),
            taskId,
            static (store, id, token) => store.GetAsync(id, token),
            cancellationToken).ConfigureAwait(false)
            ?? throw new TaskRunLostException(taskId, jobId, "the task was deleted.");
        if (task.JobId == jobId)
        {
            return null;
        }

        // It may have ended, and the next run begun, between the two questions.
        return await FindRunAsync(taskId, jobId, cancellationToken).ConfigureAwait(false)
            ?? throw new TaskRunLostException(
                taskId, jobId, "the task was reset or replaced, or has had more runs since than are kept.");
    }

    private ValueTask<TaskRun?> FindRunAsync(string taskId, string jobId, CancellationToken cancellationToken) =>
        calls.AskAsync(
        ClientCall.Read(nameof(WaitAsync), taskId),
        (taskId, jobId),
        static (store, run, token) => store.GetRunAsync(run.taskId, run.jobId, token),
        cancellationToken);
}
