using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>Compares everything visible in a store with the model after every step.</summary>
internal sealed class ModelViews(OpenedStore opened, StoreModel model)
{
    private static readonly TaskState[] _states = Enum.GetValues<TaskState>();
    private readonly HashSet<string> _jobIds = [];
    private int _notificationsSeen;

    private readonly ITaskStore _store = opened.Store;

    public async Task CheckAllAsync()
    {
        await LearnRunsAsync();
        foreach (var id in ModelDefinitions.Ids)
        {
            Difference.CheckTask($"task {id}", model.Find(id)?.Snapshot(), await _store.GetAsync(id, default));
            await CheckRunsAsync(id);
            Difference.CheckStages(
                $"task {id}", model.Find(id)?.Stages ?? [], await _store.GetStagesAsync(id, default));
        }

        await CheckEndedRunsAsync();
        foreach (var state in _states)
        {
            await CheckListAsync(new TaskQuery { State = state }, null, ModelDefinitions.Ids.Count + 1);
        }

        await CheckNewNotificationsAsync();
        Difference.CheckList(
            "the notifications to deliver",
            [.. model.Notifications.Select(notification => notification.Id).Where(
                id => !model.Delivered.Contains(id)).Take(2)],
            [.. (await _store.ListUndeliveredAsync(2, default)).Select(notification => notification.Id)]);
        Difference.Check(
            "the time to the next duty", model.TimeToNextDuty(), await _store.GetTimeToNextDutyAsync(default));
        Difference.CheckList(
            "the pauses",
            [.. model.Routing.PausesAt(model.Now).Select(pause => JsonSerializer.Serialize(pause))],
            [.. (await _store.ListPausesAsync(default)).Select(pause => JsonSerializer.Serialize(pause))]);
        Difference.CheckList(
            "the executors",
            [.. model.LastPings.Select(
                executor => new ExecutorPing(executor.Key, executor.Value)).OrderBy(executor => executor.ExecutorId,
                StringComparer.Ordinal)],
            [.. (await _store.ListExecutorsAsync(default)).OrderBy(
                executor => executor.ExecutorId, StringComparer.Ordinal)]);
    }

    /// <summary>
    /// Learns the ids of runs that began in this step. They must be new, and each such run must have one.
    /// </summary>
    public async Task LearnRunsAsync()
    {
        foreach (var task in model.Tasks.Values)
        {
            if (!StoreModel.IsUnknown(task.State.JobId))
            {
                _jobIds.Add(task.State.JobId);
                continue;
            }

            var stored = await _store.GetAsync(task.Id, default);
            if (stored is null || string.IsNullOrEmpty(stored.JobId) || !_jobIds.Add(stored.JobId))
            {
                Difference.Fail(
                    $"task {task.Id} begins a new run in the model; its run in the store is "
                    + $"{stored?.JobId ?? "none"}.");
            }

            task.LearnRun(task.State.JobId, stored.JobId);
        }
    }

    private async Task CheckRunsAsync(string id)
    {
        var runs = model.Find(id)?.Runs ?? [];
        var stored = await _store.ListRunsAsync(id, default);
        Difference.CheckList(
            $"the runs of {id}", [.. runs.Select(run => run.JobId)], [.. stored.Select(run => run.JobId)]);
        foreach (var (run, other) in runs.Zip(stored))
        {
            Difference.CheckRun($"task {id}, listed run {run.JobId}", run, other);
        }

        foreach (var jobId in model.Find(id)?.AllRuns ?? [])
        {
            Difference.CheckRun(
                $"task {id}, run {jobId}", model.Find(id)!.RunOf(jobId), await _store.GetRunAsync(id, jobId, default));
        }
    }

    /// <summary>
    /// Asks about all runs that ever existed, and about some that never did. The answer must name the runs that a
    /// client need not wait for any more.
    /// </summary>
    private async Task CheckEndedRunsAsync()
    {
        List<AwaitedRun> runs =
        [
            .. ModelDefinitions.Ids.Append("no task").SelectMany(
                id => (model.Find(id)?.AllRuns ?? []).Append("no run").Select(run => new AwaitedRun(id, run))),
        ];
        var expected = runs.Where(
            run => model.Find(run.TaskId)?.State is not { HasEnded: false } state || state.JobId != run.JobId);
        var stored = (await _store.FindEndedRunsAsync(runs, default)).ToHashSet();
        Difference.CheckList(
            "the runs that have ended or are not current", [.. expected], [.. runs.Where(stored.Contains)]);
    }

    /// <summary>
    /// Notifications of one step may be in any order; those of later steps must follow those of earlier ones.
    /// </summary>
    private async Task CheckNewNotificationsAsync()
    {
        var fresh = model.Notifications.Count - _notificationsSeen;
        var page = await NotificationsAsync(new NotificationQuery(), null, fresh + 1);
        var last = _notificationsSeen == 0 ? 0 : model.Notifications[_notificationsSeen - 1].Id;
        var stored = page.Where(notification => notification.Id > last).OrderBy(notification => notification.Id)
            .ToList();
        var expected = model.Notifications.Skip(_notificationsSeen).ToList();
        Difference.Check("new notifications", expected.Count, stored.Count);
        foreach (var (i, notification) in stored.Index())
        {
            var match = expected.FindIndex(
                other => other.TaskId == notification.TaskId && other.JobId == notification.JobId);
            if (match < 0)
            {
                Difference.Fail($"The model has no notification {notification.ToJson()}.");
            }

            Difference.CheckNotification(
                $"the notification of {notification.TaskId}",
                expected[match].With(n => n.Id, notification.Id),
                notification);
            expected.RemoveAt(match);
            model.Notifications[_notificationsSeen + i] = notification;
        }

        _notificationsSeen = model.Notifications.Count;
    }

    public Task ListAsync(ListStep step)
    {
        // Half of the pages have a single filter, so that they are rarely empty.
        var filters = step.Filters % 2 == 0 ? step.Filters & (2 << (step.Filters % 14)) : step.Filters;
        var query = new TaskQuery
        {
            State = Asked(2) ? step.State : null,
            AppName = Asked(4) ? step.Value == 0 ? "other" : "default" : null,
            Group = Asked(8) ? "g" : null,
            GroupId = Asked(16) ? "g-0" : null,
            UserId = Asked(32) ? $"user-{step.Value % 2}" : null,
            IsPeriodic = Asked(64) ? step.Value % 2 == 0 : null,
            IdPrefix = Asked(128) ? ModelDefinitions.Ids[step.Value] : null,
            CreatedFrom = Asked(256) ? ModelDefinitions.Start.AddSeconds(step.Value) : null,
            CreatedTo = Asked(512) ? ModelDefinitions.Start.AddSeconds(10 * step.Value) : null,
            States = Asked(1024) && !Asked(2) ? [step.State, TaskState.Executing, TaskState.Failed] : null,
            IsFinal = Asked(2048) ? step.Value % 2 == 0 : null,
            IsEnabled = Asked(4096) ? step.Value % 2 == 0 : null,
            Method = Asked(8192) ? step.Value % 2 == 0 ? "do" : MessageCommand.MethodName : null,
            NewestFirst = Asked(16384),
        };
        var after = step.After is { } id && model.Find(ModelDefinitions.Ids[id]) is { } last
            ? new TaskCursor(last.Created, last.Id)
            : (TaskCursor?)null;
        return CheckListAsync(query, after, step.Limit);

        bool Asked(int filter) => (filters & filter) != 0;
    }

    private async Task CheckListAsync(TaskQuery query, TaskCursor? after, int limit)
    {
        var direction = query.NewestFirst ? -1 : 1;
        var found = model.Tasks.Values
            .Where(
                task => Fits(task, query) && (after is not { } cursor
                    || (task.Created, task.Id).CompareTo((cursor.Created, cursor.Id)) * direction > 0))
            .OrderBy(task => task.Created).ThenBy(task => task.Id, StringComparer.Ordinal).ToList();
        if (query.NewestFirst)
        {
            found.Reverse();
        }

        await CheckCountAsync(query, after, limit, found.Count);
        var expected = found.Take(limit).ToList();
        var page = await PageAsync(query, after, limit);
        if (!expected.Select(task => task.Id).SequenceEqual(page.Select(task => task.Id)))
        {
            Difference.CheckList(
                $"the tasks of {query}", [.. expected.Select(task => task.Id)], [.. page.Select(task => task.Id)]);
        }

        foreach (var (task, stored) in expected.Zip(page))
        {
            Difference.CheckTask($"task {task.Id} in a list", task.Snapshot(), stored);
        }
    }

    /// <summary>A store may count in steps; a client gets their sum.</summary>
    private async Task CheckCountAsync(TaskQuery query, TaskCursor? after, int limit, int found)
    {
        var count = 0;
        do
        {
            var counted = await _store.CountAsync(query, after, limit - count, default);
            (count, after) = (count + counted.Count, counted.Next);
        }
        while (after is not null && count < limit);
        Difference.Check("the number of tasks", Math.Min(found, limit), count);
    }

    /// <summary>A store may answer with short pages; a client gets all of them together.</summary>
    private async Task<List<TaskRecord>> PageAsync(TaskQuery query, TaskCursor? after, int limit)
    {
        var tasks = new List<TaskRecord>();
        do
        {
            var page = await _store.ListAsync(query, after, limit - tasks.Count, default);
            tasks.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null && tasks.Count < limit);
        return tasks;
    }

    private async Task<List<TaskNotification>> NotificationsAsync(
        NotificationQuery query, NotificationCursor? after, int limit)
    {
        var notifications = new List<TaskNotification>();
        do
        {
            var page = await _store.ListNotificationsAsync(query, after, limit - notifications.Count, default);
            notifications.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null && notifications.Count < limit);
        return notifications;
    }

    private static bool Fits(ModelTask task, TaskQuery query) =>
        (query.State is null || query.State == task.State.State)
        && (query.States is null || query.States.Contains(task.State.State))
        && (query.IsFinal is null || query.IsFinal == task.State.HasEnded)
        && (query.IsEnabled is null || query.IsEnabled == task.Definition.Enabled)
        && (query.Method is null || query.Method == task.Definition.Commands[task.State.Stage].Method)
        && (query.AppName is null || query.AppName == task.Definition.AppName)
        && (query.Group is null || query.Group == task.Definition.Group)
        && (query.GroupId is null || query.GroupId == task.Definition.GroupId)
        && (query.UserId is null || query.UserId == task.Definition.UserId)
        && (query.IsPeriodic is null || query.IsPeriodic == task.Definition.Cron is not null)
        && (query.IdPrefix is null || task.Id.StartsWith(query.IdPrefix, StringComparison.Ordinal))
        && (query.CreatedFrom is null || task.Created >= query.CreatedFrom)
        && (query.CreatedTo is null || task.Created < query.CreatedTo);

    public async Task ListNotificationsAsync(NotificationsStep step)
    {
        var query = new NotificationQuery
        {
            UserId = step.User is { } user ? $"user-{user}" : null,
            TaskId = step.Id is { } id ? ModelDefinitions.Ids[id] : null,
            IsRead = step.IsRead,
        };
        NotificationCursor? after = step.Before is { } before && before < model.Notifications.Count
            ? new NotificationCursor(model.Notifications[before].Id)
            : null;
        var expected = model.Notifications
            .Where(notification => (query.UserId is null || query.UserId == notification.UserId)
                && (query.TaskId is null || query.TaskId == notification.TaskId)
                && (query.IsRead is null || query.IsRead == notification.IsRead)
                && (after is null || notification.Id < after.Value.Id))
            .Select(notification => notification.Id).Reverse().Take(step.Limit).ToList();
        var page = await NotificationsAsync(query, after, step.Limit);
        Difference.CheckList(
            $"the notifications of {query}", expected, [.. page.Select(notification => notification.Id)]);
    }

    /// <summary>Marks some of the notifications, and one that does not exist.</summary>
    public async Task MarkAsync(MarkStep step)
    {
        var marked = model.Notifications.Index().Where(item => item.Index % 4 == step.Nth).ToList();
        long[] ids = [.. marked.Select(item => item.Item.Id), long.MaxValue];
        if (step.AsDelivered)
        {
            await _store.MarkDeliveredAsync(ids, default);
            model.Delivered.UnionWith(ids);
            return;
        }

        Difference.Check(
            "the number of unread notifications",
            marked.Count(item => !item.Item.IsRead),
            await _store.MarkReadAsync(ids, default));
        foreach (var (place, notification) in marked)
        {
            model.Notifications[place] = notification.With(n => n.IsRead, true);
        }
    }
}
