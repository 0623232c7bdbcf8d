using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>Runs, stages, batches and retention.</summary>
public sealed class HistoryTests
{
    [Fact]
    public async Task A_runs_history_has_every_result_and_failure_with_its_times()
    {
        var calls = 0;
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("a", () => "a")
            .AddCommand("b", () => ++calls == 1 ? throw new InvalidOperationException("boom") : "b"));
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            MaxRetries = 1,
            RestartPolicy = RestartPolicy.First,
            Commands = [new("a"), new TimerCommand(TimeSpan.FromSeconds(9)), new("b")],
        });
        await host.RunUntilIdleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(9));
        await host.AdvanceAsync(TimeSpan.FromSeconds(9));

        var stages = await host.Client.GetStagesAsync("t");

        stages.Select(stage => (stage.Pass, stage.Stage, stage.Attempt, stage.Error?.Message)).Should().Equal(
            (0, 0, 1, null), (0, 1, 1, null), (0, 2, 1, "boom"), (1, 0, 2, null), (1, 1, 2, null), (1, 2, 2, null));
        (stages[1].Started, stages[1].Finished).Should().Be((TaskTestHost.Start, TaskTestHost.Start.AddSeconds(9)));
        stages.Should().AllSatisfy(stage => stage.Claim.Should().BeNull("the claim is the executor's alone"));
        (await host.Client.GetStagesAsync("nobody")).Should().BeEmpty();
    }

    [Fact]
    public async Task Runs_are_listed_the_latest_first()
    {
        var calls = 0;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("count", () => ++calls % 2 == 0 ? throw new InvalidOperationException() : calls));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "* * * * *", Commands = [new("count")] });
        for (var i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        var runs = await host.Client.ListRunsAsync("t");

        runs.Select(run => run.State).Should().Equal(TaskState.Finished, TaskState.Failed, TaskState.Finished);
        runs.Select(run => run.Occurrence).Should().Equal(Minute(3), Minute(2), Minute(1));
        runs[0].Result.Texts().Should().Equal("3");
        runs.Select(run => run.JobId).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Many_tasks_are_created_at_once_each_with_its_own_answer()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "known", Commands = [new("do")] });

        var answers = await host.Client.CreateManyAsync(
        [
            new TaskDefinition { Id = "a", Commands = [new("do")] },
            new TaskDefinition { Id = "bad", MaxRetries = 99, Commands = [new("do")] },
            new TaskDefinition { Id = "known", Commands = [new("do")] },
            new TaskDefinition { Id = "b", Commands = [new("do")] },
        ]);

        answers.Select(answer => (answer.TaskId, answer.Result)).Should().Equal(
            ("a", CreateResult.Created),
            ("bad", CreateResult.Invalid),
            ("known", CreateResult.Refused),
            ("b", CreateResult.Created));
        answers[1].Faults.Should().Equal("max_retries is 99; it must be from 0 to 10.");
        await host.RunUntilIdleAsync();
        (await host.GetAsync("b")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task Stored_tasks_are_imported_through_the_client()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do.2", (int x) => x + 1));
        var stored = TaskRecord.FromJson("""
            {"id": "t", "app_name": "default", "status": "SUSPENDED", "stage": 1, "result": [41],
            "queued_at": 1718452000, "job_id": "j",
             "commands": [{"method": "do"}, {"method": "do.2", "params": {"x": "[0]"}}]}
            """);

        (await host.Client.ImportAsync([stored, stored])).Select(answer => answer.Result)
            .Should().Equal(CreateResult.Created, CreateResult.Refused);
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.JobId == "j");
        (await host.GetAsync("t")).Result.Texts().Should().Equal("41", "42");
    }

    [Fact]
    public async Task An_imported_task_whose_executor_never_returns_resumes_elsewhere()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do.2", (int x) => x + 1));
        await host.Client.ImportAsync([TaskRecord.FromJson("""
            {"id": "t", "app_name": "default", "status": "EXECUTED", "stage": 1, "result": [41],
            "queued_at": 1718452800, "executor_id": "gone", "job_id": "j",
             "commands": [{"method": "do"}, {"method": "do.2", "params": {"x": "[0]"}}]}
            """)]);

        await host.WatchForAsync(TimeSpan.FromSeconds(91));
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.JobId == "j" && task.Managed.Interruptions == 1);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    public async Task The_last_ping_of_an_imported_tasks_executor_is_the_stores_time(int hours)
    {
        var clock = new FakeTimeProvider(TaskTestHost.Start.AddHours(hours));
        var store = new MemoryTaskStore(clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next);
        await using var host = new TaskTestHost(store: store);
        await host.Client.ImportAsync([TaskRecord.FromJson("""
            {"id": "t", "app_name": "default", "status": "EXECUTED", "executor_id": "gone", "job_id": "j",
            "commands": [{"method": "do"}]}
            """)]);

        (await store.ListExecutorsAsync(default)).Should().Equal(
            [new ExecutorPing("gone", clock.GetUtcNow())], "the client's clock does not matter");
    }

    [Fact]
    public async Task Ended_tasks_are_deleted_by_the_time_they_ended()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => 1), options => options.UnknownCommands = UnknownCommands.Fail);
        for (var i = 0; i < 450; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = $"t{i}", System = i == 7, Commands = [new(i % 2 == 0 ? "do" : "nobody")] });
        }

        await host.Client.CreateAsync(new TaskDefinition { Id = "waiting", Commands = [new MessageCommand()] });
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "cron", Cron = "@yearly", RunAt = host.Now, Commands = [new("do")] });
        await host.RunUntilIdleAsync();
        await host.AdvanceAsync(TimeSpan.FromHours(1));

        (await host.Client.DeleteEndedAsync(TimeSpan.FromHours(2))).Should().Be(0);
        (await host.Client.DeleteEndedAsync(TimeSpan.FromMinutes(59))).Should().Be(449);
        (await host.Client.ListAsync().ToListAsync()).Select(task => task.Id).Should().Equal("cron", "t7", "waiting");
    }

    [Fact]
    public async Task A_host_with_retention_options_deletes_ended_tasks()
    {
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1), options => options.DeleteEndedAfter = TimeSpan.FromMinutes(30));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await host.Client.WaitAsync("t").Soon();

        await host.Clock.PassAsync(TimeSpan.FromHours(1));
        await Waiting.Until(async () => await host.Client.GetAsync("t") is null);
    }

    [Theory]
    [InlineData(30, 90, "bad")]
    [InlineData(90, 30, "good")]
    [InlineData(30, null, "")]
    [InlineData(null, 30, "good")]
    public async Task Failed_tasks_may_be_kept_for_another_time_than_finished_ones(
        int? ended, int? failed, string kept)
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => 1)
                .AddCommand("fail", object () => throw new InvalidOperationException()),
            options => (options.DeleteEndedAfter, options.DeleteFailedAfter) =
                (ended is { } after ? TimeSpan.FromMinutes(after) : null,
                failed is { } later ? TimeSpan.FromMinutes(later) : null));
        await host.RunAsync(new TaskDefinition { Id = "good", Commands = [new("do")] });
        await host.RunAsync(new TaskDefinition { Id = "bad", Commands = [new("fail")] });
        var loop = ActivatorUtilities.CreateInstance<Kaiju.Tasks.Engine.CleanUpLoop>(host.Services, host.Options);

        await loop.CleanUpAsync(default);
        (await host.Client.CountAsync()).Should().Be(2);
        host.Clock.Advance(TimeSpan.FromHours(1));
        await loop.CleanUpAsync(default);

        string.Join(' ', (await host.Client.ListAsync().ToListAsync()).Select(task => task.Id)).Should().Be(kept);
        host.Clock.Advance(TimeSpan.FromHours(1));
        await loop.CleanUpAsync(default);
        (await host.Client.CountAsync()).Should().Be(ended is null ? 1 : 0);
    }

    [Theory]
    [InlineData("missing", ChainResult.Missing)]
    [InlineData("disabled", ChainResult.Disabled)]
    [InlineData("busy", ChainResult.Busy)]
    [InlineData("ready", ChainResult.Started)]
    [InlineData("t", ChainResult.Started)]
    public async Task The_start_of_the_next_task_is_in_the_outcome_and_in_the_log(string next, ChainResult result)
    {
        var runs = 0;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => 1).AddCommand(
                "once", () => ++runs == 1 ? 1 : throw new InvalidOperationException()));
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "disabled",
                Enabled = false,
                RunAt = TaskDefinition.OnDemand,
                Commands = [new("do")],
            });
        await host.RunAsync(new TaskDefinition { Id = "busy", Commands = [new MessageCommand()] });
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "ready", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        await host.RunAsync(new TaskDefinition { Id = "t", NextTask = next, Commands = [new("once")] });

        var run = (await host.Client.ListRunsAsync("t")).Single(run => run.State == TaskState.Finished);
        run.Chain.Should().Be(result);
        host.Logs.Lines.Any(line => line.Event.Id == 501 && line.Text.Contains(next, StringComparison.Ordinal)).Should()
            .Be(result != ChainResult.Started);
    }

    private static DateTimeOffset Minute(int minute) => new(2024, 6, 15, 12, minute, 0, TimeSpan.Zero);
}
