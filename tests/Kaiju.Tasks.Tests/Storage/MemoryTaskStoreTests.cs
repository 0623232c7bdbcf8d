using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Storage;

public sealed class MemoryTaskStoreTests : IAsyncDisposable
{
    private readonly TaskTestHost _host = new();

    private ITaskQueue Queue => _host.Services.GetRequiredService<ITaskQueue>();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Tasks_are_claimed_by_priority_then_by_age()
    {
        await CreateAsync("old", 0);
        await CreateAsync("low", -1);
        await CreateAsync("new", 0);
        await CreateAsync("high", 5);

        (await ClaimAsync(10)).Should().Equal("high", "old", "new", "low");
    }

    [Fact]
    public async Task A_claim_stays_within_its_number_and_its_apps()
    {
        for (var i = 0; i < 5; i++)
        {
            await CreateAsync($"t{i}", 0);
        }

        (await ClaimAsync(2)).Should().Equal("t0", "t1");
        (await ClaimAsync(2, apps: ["nobody's"])).Should().BeEmpty();
        (await ClaimAsync(10)).Should().Equal("t2", "t3", "t4");
        (await ClaimAsync(10)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_claim_is_bounded_in_bytes_but_one_task_is_always_allowed()
    {
        for (var i = 0; i < 4; i++)
        {
            await _host.Client.CreateAsync(
                new TaskDefinition { Id = $"t{i}", Commands = [new("do", new { text = new string('x', 1000) })] });
        }

        (await ClaimAsync(10, bytes: 2500)).Should().Equal("t0", "t1");
        (await ClaimAsync(10, bytes: 10)).Should().Equal("t2");
    }

    [Fact]
    public async Task Earlier_results_count_as_bytes_and_come_with_a_claim()
    {
        await _host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("a"), new("b"), new("c")] });
        var first = await _host.ClaimByHandAsync("t");
        await _host.ReportByHandAsync(first, ByHand.Result($"\"{new string('x', 1000)}\""));
        await _host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
        await _host.Manager.TickAsync(default);
        await CreateAsync("small", 0);

        var claimed = await Queue.ClaimAsync(
            new ClaimRequest { Executor = ByHand.Executor, MaxTasks = 10, MaxBytes = 500 }, default);

        claimed.Should().ContainSingle().Which.Should().Match<ExecutorTask>(task =>
            task.Id == "t" && task.Stage == 1 && task.Stages == 3 && task.Result.Count == 1 && task.Commands.Count == 2
                && task.Commands[0].Method == "b");
    }

    [Fact]
    public async Task A_duty_moves_at_most_its_limit_and_answers_which()
    {
        for (var i = 0; i < 5; i++)
        {
            await _host.Client.CreateAsync(
                new TaskDefinition
                {
                    Id = $"t{i}",
                    RunAt = TaskTestHost.Start.AddSeconds(i + 1),
                    Commands = [new("do")],
                });
        }

        _host.Clock.Advance(TimeSpan.FromSeconds(4));

        (await _host.Store.QueueDueAsync(3, default)).Select(move => (move.TaskId, move.From, move.To)).Should().Equal(
            ("t0", TaskState.Idle, TaskState.Queued),
            ("t1", TaskState.Idle, TaskState.Queued),
            ("t2", TaskState.Idle, TaskState.Queued));
        (await _host.Store.QueueDueAsync(3, default)).Select(move => move.TaskId).Should().Equal("t3");
        (await _host.Store.GetTimeToNextDutyAsync(default)).Should().Be(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_cron_that_never_occurs_again_keeps_no_manager_busy_and_no_other_task_waiting()
    {
        await _host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "never",
                Cron = "0 0 1 1 *",
                RunAt = TaskTestHost.Start,
                Commands = [new("do")],
            });
        await _host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "again",
                Cron = "* * * * *",
                RunAt = TaskTestHost.Start,
                Commands = [new("do")],
            });
        _host.Clock.SetUtcNow(new DateTimeOffset(9999, 6, 1, 0, 0, 0, TimeSpan.Zero));
        await _host.Client.CancelAsync("never");
        await _host.Client.CancelAsync("again");

        (await _host.Store.RestartPeriodicAsync(10, default)).Select(move => move.TaskId).Should().Equal("again");
        (await _host.GetAsync("never")).State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public async Task A_periodic_task_that_was_suspended_too_long_is_rescheduled_in_the_same_tick()
    {
        await using var host = new TaskTestHost(
            configure: options => options.SuspendedLifetime = TimeSpan.FromHours(1));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Cron = "@daily", RunAt = TaskTestHost.Start, Commands = [new("do")] });
        await host.ClaimByHandAsync("t");
        await host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
        host.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromTicks(1));

        await host.Manager.TickAsync(default);

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Idle && task.ExitCode == TaskExitCode.Aborted);
    }

    [Fact]
    public async Task A_batch_with_an_item_that_was_not_prepared_stores_nothing()
    {
        var task = _host.Services.GetRequiredService<TaskDefinitionChecker>().Prepare(
            new TaskDefinition { Id = "t", Commands = [new("do")] });

        await FluentActions.Awaiting(
            async () => await _host.Store.CreateAsync(
                [task, new TaskDefinition { Id = "u", Commands = [new("do")] }], OnConflict.Fail, default))
            .Should().ThrowAsync<ArgumentException>().WithMessage("*is not complete*");

        (await _host.Client.GetAsync("t")).Should().BeNull();
    }

    [Fact]
    public async Task Each_item_of_a_batch_gets_its_own_answer()
    {
        var checker = _host.Services.GetRequiredService<TaskDefinitionChecker>();
        var task = checker.Prepare(new TaskDefinition { Id = "t", Commands = [new("do")] });

        var answers = await _host.Store.CreateAsync([task, task, task with { Id = "u" }], OnConflict.Fail, default);

        answers.Select(answer => (answer.TaskId, answer.Result)).Should().Equal(
            ("t", CreateResult.Created), ("t", CreateResult.Refused), ("u", CreateResult.Created));
    }

    [Fact]
    public async Task A_queued_task_ends_a_wait_even_if_it_came_before()
    {
        var waiting = Queue.WaitAsync(ByHand.Executor, TimeSpan.FromDays(1), default).AsTask();
        waiting.IsCompleted.Should().BeFalse();
        await CreateAsync("t", 0);
        await waiting.Soon();

        await Queue.WaitAsync(ByHand.Executor, TimeSpan.FromDays(1), default).AsTask().Soon();
        var ofOther = ByHand.Executor.With(e => e.Apps, ["other"]);
        var other = Queue.WaitAsync(ofOther, TimeSpan.FromSeconds(5), default).AsTask();
        other.IsCompleted.Should().BeFalse();
        _host.Clock.Advance(TimeSpan.FromSeconds(5));
        await other.Soon();
    }

    [Fact]
    public async Task Snapshots_do_not_change_with_the_task()
    {
        await _host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("a"), new("b")] });
        var before = await _host.GetAsync("t");
        var claimed = await _host.ClaimByHandAsync("t");
        await _host.ReportByHandAsync(claimed, ByHand.Result("1"));
        var middle = await _host.GetAsync("t");
        await _host.ReportByHandAsync(claimed, ByHand.Result("2"), stage: 1);

        before.Should().Match<TaskRecord>(task => task.State == TaskState.Queued && task.Result.Count == 0);
        middle.Should().Match<TaskRecord>(
            task => task.State == TaskState.Executing && task.Result.Count == 1 && task.Managed.Claim == null);
    }

    [Fact]
    public async Task Many_concurrent_threads_lose_and_duplicate_nothing()
    {
        const int Tasks = 400;
        var checker = _host.Services.GetRequiredService<TaskDefinitionChecker>();
        var definition = checker.Prepare(
            new TaskDefinition
            {
                Id = "x",
                MaxRetries = 10,
                RetryDelay = TimeSpan.Zero,
                Notify = true,
                Commands = [new("a"), new("b"), new("c")],
            });
        var recorded = new System.Collections.Concurrent.ConcurrentBag<(string Id, int Stage)>();
        using var done = new CancellationTokenSource();

        async Task Executor(int number)
        {
            var me = ByHand.Executor.With(e => e.Id, $"e{number}");
            var failures = 0;
            while (!done.IsCancellationRequested)
            {
                foreach (var task in await Queue.ClaimAsync(
                    new ClaimRequest { Executor = me, MaxTasks = 7, MaxBytes = long.MaxValue }, default))
                {
                    for (var stage = task.Stage; stage < task.Stages; stage++)
                    {
                        var fails = task.Retries() < 2 && (failures++ % 5) == 0;
                        var answer = await _host.ReportByHandAsync(
                            task, fails ? ByHand.Failure() : ByHand.Result($"\"{task.Id}/{stage}\""), stage);
                        if (answer == ReportAnswer.Superseded || fails)
                        {
                            break;
                        }

                        recorded.Add((task.Id, stage));
                    }
                }

                if (number == 0)
                {
                    await _host.Store.SuspendExecutorAsync("e1", default);
                }

                await Task.Yield();
            }
        }

        async Task Manager()
        {
            while (!done.IsCancellationRequested)
            {
                await _host.Manager.TickAsync(default);
                var ended = (await _host.Store.ListAsync(
                    new TaskQuery { State = TaskState.Finished }, null, Tasks, default)).Items;
                if (ended.Count == Tasks)
                {
                    await done.CancelAsync();
                }
            }
        }

        var running = Enumerable.Range(0, 4).Select(number => Task.Run(() => Executor(number)))
            .Append(Task.Run(Manager)).Append(Task.Run(Manager)).ToList();
        for (var i = 0; i < Tasks; i++)
        {
            await _host.Store.CreateAsync([definition with { Id = $"t{i}" }], OnConflict.Fail, default);
        }

        await Task.WhenAll(running).Soon();

        recorded.Should().HaveCount(Tasks * 3).And.OnlyHaveUniqueItems("each stage is recorded once");
        var all = (await _host.Store.ListAsync(new TaskQuery(), null, Tasks, default)).Items;
        all.Should().HaveCount(Tasks).And.AllSatisfy(
            task => task.Result.Texts().Should().Equal($"\"{task.Id}/0\"", $"\"{task.Id}/1\"", $"\"{task.Id}/2\""));
        (await _host.Store.ListNotificationsAsync(new NotificationQuery(), null, int.MaxValue, default)).Items
            .Count(n => n.State == TaskState.Finished).Should().Be(Tasks);
    }

    private async Task CreateAsync(string id, int priority)
    {
        await _host.Client.CreateAsync(new TaskDefinition { Id = id, Priority = priority, Commands = [new("do")] });
        _host.Clock.Advance(TimeSpan.FromMilliseconds(1));
    }

    private async Task<string[]> ClaimAsync(int most, long bytes = long.MaxValue, string[]? apps = null)
    {
        var executor = ByHand.Executor.With(e => e.Apps, apps ?? ["default"]);
        return [
            .. (await Queue.ClaimAsync(
                new ClaimRequest { Executor = executor, MaxTasks = most, MaxBytes = bytes },
                default)).Select(task => task.Id)];
    }
}

internal static class ExecutorTaskRetries
{
    public static int Retries(this ExecutorTask task) => task.Attempt - 1;
}
