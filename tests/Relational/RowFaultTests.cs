using System.Text.Json;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>A store whose rows a test can change directly.</summary>
/// <param name="Opened">The store, on fake time.</param>
/// <param name="ExecuteAsync">
/// Executes a statement; <c>{tasks}</c> and other names of tables in braces are replaced.
/// </param>
/// <param name="Logs">What the store logged.</param>
public sealed partial record BareStore(
    OpenedStore Opened, Func<string, Task> ExecuteAsync, BareLogs Logs) : IAsyncDisposable
{
    /// <summary>The start of its clock.</summary>
    public static DateTimeOffset Start { get; } = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    /// <summary>The names of tables in a statement.</summary>
    [GeneratedRegex(@"\{(tasks|states|runs|notifications)\}")]
    public static partial Regex Names();

    public ValueTask DisposeAsync() => Opened.DisposeAsync();
}

/// <summary>Opens an empty store with the test's lifecycle.</summary>
public delegate ValueTask<BareStore> OpenBareStore(LifecycleFunction next);

/// <summary>The log events of a store.</summary>
public sealed class BareLogs : ILogger
{
    private readonly List<string> _setAside = [];

    /// <summary>The messages of event 520, each with the task's id.</summary>
    public IReadOnlyList<string> SetAside
    {
        get
        {
            lock (_setAside)
            {
                return [.. _setAside];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == 520)
        {
            lock (_setAside)
            {
                _setAside.Add($"{formatter(state, exception)} {exception?.Message}");
            }
        }
    }
}

/// <summary>The same entries as the logger of a type.</summary>
internal sealed class BareLogger<T>(ILogger logs) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logs.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logs.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        logs.Log(logLevel, eventId, state, exception, formatter);
}

/// <summary>One row that cannot be read, decided or written stops no duty, no claim and no list.</summary>
public abstract class RowFaultTests(OpenBareStore open) : IAsyncLifetime
{
    private const string Unreadable = "{\"a_new_kind_of_definition\":1}";
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    private BareStore? _bare;
    private LifecycleFunction _next = TaskLifecycle.Next;

    private ITaskStore Store => _bare!.Opened.Store;

    private ITaskQueue Queue => _bare!.Opened.Queue;

    public async Task InitializeAsync() =>
        _bare = await open((task, state, happened, now, rules) => _next(task, state, happened, now, rules));

    public async Task DisposeAsync() => await _bare!.DisposeAsync();

    [Fact]
    public async Task A_row_that_cannot_be_written_stops_none_of_the_others()
    {
        await FinishPeriodicAsync("a", "b", "c", "d", "e");
        await ExecuteAsync(
            "insert into {runs} (task_no, run_no, pass, job_id, state, retries, chain, ended) select task_no, 1, 0, "
                + "'x', 5, 0, 0, 0 from {tasks} where id = 'c'");

        (await MovedAsync(Store.RestartPeriodicAsync(10, default))).Should().Equal("a", "b", "d", "e");

        (await Store.GetAsync("c", default))!.State.Should().Be(TaskState.Finished, "nothing of it has happened");
        _bare!.Logs.SetAside.Should().ContainSingle().Which.Should().Contain("c");
    }

    [Fact]
    public async Task A_row_that_is_set_aside_is_tried_again_after_a_minute_and_then_after_two()
    {
        await FinishPeriodicAsync("c");
        await ExecuteAsync(
            "insert into {runs} (task_no, run_no, pass, job_id, state, retries, chain, ended) select task_no, 1, 0, "
                + "'x', 5, 0, 0, 0 from {tasks} where id = 'c'");
        await Store.RestartPeriodicAsync(10, default);

        await AdvanceAsync(TimeSpan.FromSeconds(59));
        (await Store.GetTimeToNextDutyAsync(default)).Should().NotBe(
            TimeSpan.Zero, "a row that is set aside makes no manager busy");
        await Store.RestartPeriodicAsync(10, default);
        _bare!.Logs.SetAside.Should().HaveCount(1);

        await AdvanceAsync(TimeSpan.FromSeconds(1));
        (await Store.GetTimeToNextDutyAsync(default)).Should().Be(TimeSpan.Zero);
        await Store.RestartPeriodicAsync(10, default);
        _bare.Logs.SetAside.Should().HaveCount(2);

        await ExecuteAsync("delete from {runs} where job_id = 'x'");
        await AdvanceAsync(TimeSpan.FromSeconds(119));
        (await Store.RestartPeriodicAsync(10, default)).Should().BeEmpty();
        await AdvanceAsync(TimeSpan.FromSeconds(1));
        (await MovedAsync(Store.RestartPeriodicAsync(10, default))).Should().Equal("c");
    }

    [Fact]
    public async Task A_definition_that_cannot_be_read_stops_no_duty()
    {
        await FinishPeriodicAsync("a", "b", "c", "d");
        await SpoilAsync("b", "c");

        (await MovedAsync(Store.RestartPeriodicAsync(10, default))).Should().Equal("a", "d");

        _bare!.Logs.SetAside.Should().HaveCount(2).And.Contain(
            line => line.Contains("\"b\"", StringComparison.Ordinal));
        (await Store.ListRunsAsync("b", default)).Should().ContainSingle("its state is as it was").Which.State
            .Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task Rows_that_are_set_aside_do_not_count_towards_a_limit()
    {
        string[] bad = [.. Enumerable.Range(0, 10).Select(i => $"a{i}")];
        await FinishPeriodicAsync([.. bad, "z"]);
        await SpoilAsync(bad);

        var moved = new List<string>();
        for (var turn = 0; turn < 3; turn++)
        {
            moved.AddRange(await MovedAsync(Store.RestartPeriodicAsync(5, default)));
        }

        moved.Should().Equal("z");
    }

    [Fact]
    public async Task A_rule_that_fails_on_one_task_stops_none_of_the_others()
    {
        await CreateAsync(
            id => new TaskDefinition { Id = id, RunAt = BareStore.Start.AddSeconds(10), Commands = [new("do")] },
            "a",
            "b",
            "c");
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        _next = (task, state, happened, now, rules) =>
            task.Id == "b" && happened is TaskEvent.QueueDue
                ? throw new FormatException("This machine does not know the time zone.")
                : TaskLifecycle.Next(task, state, happened, now, rules);

        (await MovedAsync(Store.QueueDueAsync(10, default))).Should().Equal("a", "c");

        (await Store.GetAsync("b", default))!.State.Should().Be(TaskState.Idle);
        _bare!.Logs.SetAside.Should().ContainSingle().Which.Should().Contain("b").And.Contain("time zone");
    }

    [Fact]
    public async Task Duties_without_a_definition_work_on_a_task_whose_definition_cannot_be_read()
    {
        await CreateAsync(
            id => new TaskDefinition { Id = id, RunAt = BareStore.Start.AddSeconds(10), Commands = [new("do")] },
            "due");
        await CreateAsync(
            id => new TaskDefinition { Id = id, Commands = [new TimerCommand(TimeSpan.FromSeconds(10)), new("do")] },
            "waiting");
        await CreateAsync(id => new TaskDefinition { Id = id, Commands = [new("do")] }, "dead", "held", "cancelled");
        var waiting = (await Store.ClaimAsync(_executor.With(e => e.Id, "other"), ["waiting"], default)).Single();
        await Store.RecordAsync([ReportOf(waiting, StageOutcome.WaitFor(TimeSpan.FromSeconds(10)))], default);
        await Store.ClaimAsync(_executor.With(e => e.Id, "dies"), ["dead"], default);
        await SpoilAsync("due", "waiting", "dead", "held", "cancelled");
        await AdvanceAsync(TimeSpan.FromSeconds(10));

        (await MovedAsync(Store.QueueDueAsync(10, default))).Should().Equal("due");
        (await MovedAsync(Store.WakeWaitsAsync(10, default))).Should().Equal("waiting");
        (await Store.CancelAsync("cancelled", default)).Should().BeTrue();
        await AdvanceAsync(TimeSpan.FromSeconds(81));
        (await MovedAsync(Store.ExpelDeadExecutorsAsync(null, 10, default))).Should().Equal("dead");
        (await Store.DeleteAsync("held", default)).Should().BeTrue();
        _bare!.Logs.SetAside.Should().BeEmpty();
    }

    [Fact]
    public async Task A_queued_task_that_cannot_be_read_is_left_to_other_executors_and_the_others_are_claimed()
    {
        await CreateAsync(id => new TaskDefinition { Id = id, Commands = [new("do")] }, "a", "b", "c");
        await SpoilAsync("b");

        (await ClaimAsync(10)).Should().Equal("a", "c");
        await Store.QueueDueAsync(10, default);

        (await ClaimAsync(10)).Should().BeEmpty();
        (await Store.ListExecutorsAsync(default)).Should().ContainSingle();
        _bare!.Logs.SetAside.Should().ContainSingle().Which.Should().Contain("b");
        (await ((RelationalTaskStore)Store).Claims.HasQueuedAsync(_executor, default)).Should().BeFalse(
            "rows that are set aside keep no executor busy");
        await CreateAsync(id => new TaskDefinition { Id = id, Commands = [new("do")] }, "d");
        (await ((RelationalTaskStore)Store).Claims.HasQueuedAsync(_executor, default)).Should().BeTrue();
        (await ClaimAsync(10)).Should().Equal("d");

        // Another version can read it, so this process tries again after a while.
        await ExecuteAsync(
            "update {tasks} set definition = (select definition from {tasks} where id = 'a') where id = 'b'");
        (await Store.GetAsync("b", default))!.Managed.Interruptions.Should().Be(0);
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        (await ClaimAsync(10)).Should().Equal("b");
    }

    [Fact]
    public async Task A_task_behind_many_that_cannot_be_read_is_claimed()
    {
        string[] bad = [.. Enumerable.Range(0, 30).Select(i => $"a{i:00}")];
        await CreateAsync(id => new TaskDefinition { Id = id, Commands = [new("do")] }, [.. bad, "z"]);
        await SpoilAsync(bad);

        (await ClaimAsync(5)).Should().Equal("z");

        (await Store.ClaimAsync(_executor, [.. bad], default)).Should().BeEmpty(
            "no other queue's executor gets them either");
    }

    [Fact]
    public async Task A_list_omits_unreadable_tasks_and_reading_one_throws_the_reason()
    {
        await CreateAsync(
            id => new TaskDefinition { Id = id, RunAt = TaskDefinition.OnDemand, Commands = [new("do")] },
            "a",
            "b",
            "c",
            "d");
        await SpoilAsync("b", "d");

        var first = await Store.ListAsync(new TaskQuery(), null, 2, default);
        var second = await Store.ListAsync(new TaskQuery(), first.Next, 2, default);

        first.Items.Select(task => task.Id).Should().Equal("a");
        second.Items.Select(task => task.Id).Should().Equal("c");
        var get = async () => await Store.GetAsync("b", default);
        (await get.Should().ThrowAsync<JsonException>()).WithMessage("*\"b\"*cannot be read by this version*");
    }

    /// <summary>
    /// A duty that the lifecycle refuses is dropped until another event changes the task.
    /// </summary>
    [Fact]
    public async Task A_duty_that_changes_nothing_is_dropped()
    {
        await CreateAsync(
            id => new TaskDefinition { Id = id, RunAt = BareStore.Start.AddSeconds(10), Commands = [new("do")] }, "a");
        await CreateAsync(
            id => new TaskDefinition { Id = id, RunAt = BareStore.Start.AddSeconds(11), Commands = [new("do")] }, "b");
        await AdvanceAsync(TimeSpan.FromSeconds(11));
        _next = (task, state, happened, now, rules) =>
            task.Id == "a" && happened is TaskEvent.QueueDue
                ? null
                : TaskLifecycle.Next(task, state, happened, now, rules);

        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().BeEmpty();
        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().Equal("b");
        (await Store.GetTimeToNextDutyAsync(default)).Should().BeNull();

        _next = TaskLifecycle.Next;
        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().BeEmpty();
        await Store.ResetAsync("a", default);
        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().Equal("a");
    }

    [Fact]
    public async Task A_duty_brings_no_more_definitions_than_16_MiB_and_none_that_it_does_not_need()
    {
        string[] large = [.. Enumerable.Range(0, 20).Select(i => $"t{i:00}")];
        await CreateAsync(
            id => Large(id) with { RunAt = BareStore.Start.AddSeconds(10), MaxRetries = 1, RetryDelay = TimeSpan.Zero },
            large);
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        await SpoilAsync(large);
        (await MovedAsync(Store.QueueDueAsync(100, default))).Should().Equal(
            large, "a task that runs once is queued without a look at its definition");

        var stored = Checked.Definition(Large("t") with { MaxRetries = 1, RetryDelay = TimeSpan.Zero }).ToStoredJson();
        await ExecuteAsync($"update {{tasks}} set definition = '{stored}'");
        var claimed = await Store.ClaimAsync(_executor, large, default);
        await Store.RecordAsync(
            [.. claimed.Select(
                task => ReportOf(task, StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom"))))],
            default);
        var batches = new List<int>();
        do
        {
            batches.Add((await Store.RequeueFailedAsync(100, default)).Count);
        }
        while (batches[^1] > 0);

        batches.Should().Equal(18, 2, 0);
    }

    [Fact]
    public async Task A_page_is_bounded_in_bytes_and_the_next_one_begins_behind_it()
    {
        await CreateAsync(
            id => Large(id) with { RunAt = TaskDefinition.OnDemand },
            [.. Enumerable.Range(0, 20).Select(i => $"t{i:00}")]);
        foreach (var query in new[] { new TaskQuery(), new TaskQuery { State = TaskState.Idle } })
        {
            var pages = new List<TaskPage> { await Store.ListAsync(query, null, 100, default) };
            while (pages[^1].Next is { } next)
            {
                pages.Add(await Store.ListAsync(query, next, 100, default));
            }

            pages.Select(page => page.Items.Count).Should().Equal(18, 2);
            pages.SelectMany(page => page.Items).Select(task => task.Id)
                .Should().BeInAscendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
        }
    }

    [Fact]
    public async Task Notifications_are_bounded_in_bytes_and_an_unreadable_one_is_omitted()
    {
        await CreateAsync(
            id => new TaskDefinition { Id = id, Notify = true, Commands = [new("do")] },
            [.. Enumerable.Range(0, 20).Select(i => $"t{i:00}")]);
        var claimed = await Store.ClaimAsync(_executor, [.. Enumerable.Range(0, 20).Select(i => $"t{i:00}")], default);
        await Store.RecordAsync(
            [.. claimed.Select(
                task => ReportOf(task, StageOutcome.Completed(JsonElement.Parse($"\"{new string('x', 900_000)}\""))))],
            default);
        await ExecuteAsync("update {notifications} set result = '[' where task_id = 't19'");

        var delivered = new List<int>();
        while (await Store.ListUndeliveredAsync(100, default) is { Count: > 0 } undelivered)
        {
            delivered.Add(undelivered.Count);
            await Store.MarkDeliveredAsync([.. undelivered.Select(notification => notification.Id)], default);
        }

        delivered.Should().Equal(18, 1);
        var pages =
            new List<NotificationPage> { await Store.ListNotificationsAsync(
                new NotificationQuery(), null, 100, default) };
        while (pages[^1].Next is { } next)
        {
            pages.Add(await Store.ListNotificationsAsync(new NotificationQuery(), next, 100, default));
        }

        pages.Select(page => page.Items.Count).Should().Equal(18, 1);
        pages.SelectMany(page => page.Items).Select(notification => notification.Id)
            .Should().OnlyHaveUniqueItems();
    }

    private static TaskDefinition Large(string id) =>
        new()
        {
            Id = id,
            KwsJson = JsonElement.Parse($"{{\"x\":\"{new string('x', 900_000)}\"}}"),
            Commands = [new("do")],
        };

    private static StageReport ReportOf(ExecutorTask task, StageOutcome outcome) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = task.Stage,
        Outcome = outcome,
    };

    private static async Task<IEnumerable<string>> MovedAsync(ValueTask<IReadOnlyList<TaskMove>> duty) =>
        (await duty).Select(move => move.TaskId).Order(StringComparer.Ordinal);

    private async Task<IEnumerable<string>> ClaimAsync(int most) =>
        (await Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = most, MaxBytes = long.MaxValue },
            default)).Select(task => task.Id).Order(StringComparer.Ordinal);

    private async Task CreateAsync(Func<string, TaskDefinition> definition, params string[] ids) =>
        await Store.CreateAsync([.. ids.Select(id => Checked.Definition(definition(id)))], OnConflict.Fail, default);

    /// <summary>Periodic tasks whose first run has finished, so that the next one is to be scheduled.</summary>
    private async Task FinishPeriodicAsync(params string[] ids)
    {
        await CreateAsync(id => new TaskDefinition { Id = id, Cron = "* * * * *", Commands = [new("do")] }, ids);
        await AdvanceAsync(TimeSpan.FromSeconds(30));
        await Store.QueueDueAsync(100, default);
        var claimed = await Store.ClaimAsync(_executor, ids, default);
        await Store.RecordAsync(
            [.. claimed.Select(task => ReportOf(task, StageOutcome.Completed(JsonElement.Parse("1"))))], default);
    }

    private Task SpoilAsync(params string[] ids) =>
        ExecuteAsync($"update {{tasks}} set definition = '{Unreadable}' where id in ('{string.Join("','", ids)}')");

    private Task ExecuteAsync(string sql) => _bare!.ExecuteAsync(sql);

    private async Task AdvanceAsync(TimeSpan by) => await _bare!.Opened.Advance(by);
}
