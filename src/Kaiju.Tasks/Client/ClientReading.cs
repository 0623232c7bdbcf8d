using System.Runtime.CompilerServices;

namespace Kaiju.Tasks.Client;

/// <summary>The client's members that do not change data: reads, pages and waits.</summary>
internal sealed class ClientReading(
    ClientCalls calls, WaiterHub waiters, ClientLifetime lifetime, TimeProvider clock, KaijuTasksOptions options)
{
    private const int PageSize = 200;
    private const int LargestPage = 1000;

    /// <summary>Just below the longest delay of a timer.</summary>
    private static readonly TimeSpan _longestWait = TimeSpan.FromDays(49);

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

    public async Task<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        var runs = await calls.AskAsync(
            ClientCall.Read(nameof(ListRunsAsync), taskId),
            taskId,
            static (store, id, token) => store.ListRunsAsync(id, token),
            cancellationToken).ConfigureAwait(false);
        return [.. runs.Select(run => run.ReadWith(options.SerializerOptions))];
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
            foreach (var task in page.Items)
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

    public async Task<int> CountAsync(TaskQuery? query, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        query = (query ?? new TaskQuery()).Checked();
        var count = 0;
        TaskCursor? after = null;
        do
        {
            var page = await calls.AskAsync(
                ClientCall.Read(nameof(CountAsync)),
                (query, after, Limit: atMost - count),
                static (store, asked, token) => store.CountAsync(asked.query, asked.after, asked.Limit, token),
                cancellationToken).ConfigureAwait(false);
            (count, after) = (count + page.Count, page.Next);
        }
        while (after is not null && count < atMost);
        return count;
    }

    public async IAsyncEnumerable<TaskNotification> ListNotificationsAsync(
        NotificationQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        NotificationCursor? after = null;
        do
        {
            var page = await ListNotificationPageAsync(
                nameof(ListNotificationsAsync), query, after, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var notification in page.Items)
            {
                yield return notification;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public Task<NotificationPage> ListNotificationPageAsync(
        NotificationQuery? query, NotificationCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, LargestPage);
        return ListNotificationPageAsync(
            nameof(ListNotificationPageAsync), query, after, limit, cancellationToken).AsTask();
    }

    public async Task<TaskRun> WaitAsync(
        string taskId, string? jobId, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        if (timeout is { } limit && (limit <= TimeSpan.Zero || limit > _longestWait))
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout), timeout, $"The timeout must be more than zero and at most {_longestWait.Days} days.");
        }

        using var late = timeout is { } time ? new CancellationTokenSource(time, clock) : null;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, lifetime.WaitsEnded, late?.Token ?? CancellationToken.None);
        try
        {
            var run = await WaitForEndAsync(taskId, jobId, ends.Token).ConfigureAwait(false);
            return run.ReadWith(options.SerializerOptions);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw lifetime.WaitsEnded.IsCancellationRequested
                ? new TaskHostStoppedException(
                    ClientCall.Read(nameof(WaitAsync), taskId).ToString(), mayHaveHappened: false)
                : new TimeoutException($"Task \"{taskId}\" did not end within {timeout}. Its run continues.");
        }
    }

    public async Task<TaskRecord> FindAsync(ClientCall call, string taskId, CancellationToken cancellationToken) =>
        await calls.AskAsync(
            call,
            taskId,
            static (store, id, token) => store.GetAsync(id, token),
            cancellationToken).ConfigureAwait(false)
            ?? throw new TaskNotFoundException(taskId);

    private async Task<TaskRun> WaitForEndAsync(string taskId, string? jobId, CancellationToken cancellationToken)
    {
        // The waiter listens to hints before the first read, so that it does not miss an end between the two.
        using var waiter = waiters.Enter(taskId);
        var task = await FindAsync(
            ClientCall.Read(nameof(WaitAsync), taskId), taskId, cancellationToken).ConfigureAwait(false);
        jobId ??= task.JobId;
        if (task.JobId == jobId && task.HasEnded)
        {
            return TaskRun.Of(taskId, task.Managed, task.Result);
        }

        waiter.JobId = jobId;
        var run = task.JobId == jobId
            ? null
            : await FindOutcomeAsync(taskId, jobId, cancellationToken).ConfigureAwait(false);
        while (run is null)
        {
            await waiter.WaitAsync(cancellationToken).ConfigureAwait(false);
            run = await FindOutcomeAsync(taskId, jobId, cancellationToken).ConfigureAwait(false);
        }

        return run;
    }

    private ValueTask<TaskPage> ListPageAsync(
        string member,
        TaskQuery? query,
        TaskCursor? after,
        int limit,
        CancellationToken cancellationToken) => calls.AskAsync(
        ClientCall.Read(member),
        (Query: (query ?? new TaskQuery()).Checked(), after, limit),
        static (store, page, token) => store.ListAsync(page.Query, page.after, page.limit, token),
        cancellationToken);

    private ValueTask<NotificationPage> ListNotificationPageAsync(
        string member,
        NotificationQuery? query,
        NotificationCursor? after,
        int limit,
        CancellationToken cancellationToken) => calls.AskAsync(
        ClientCall.Read(member),
        (Query: query ?? new NotificationQuery(), after, limit),
        static (store, page, token) => store.ListNotificationsAsync(page.Query, page.after, page.limit, token),
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

        // The run may have ended, and the next one may have begun, between the two reads.
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
