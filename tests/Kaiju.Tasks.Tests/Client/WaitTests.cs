namespace Kaiju.Tasks.Tests.Client;

public sealed class WaitTests
{
    [Fact]
    public async Task A_wait_ends_with_the_run_and_returns_its_outcome()
    {
        await using var host = NewHost();
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        var waiting = host.Client.WaitAsync("t");
        waiting.IsCompleted.Should().BeFalse();

        await host.RunUntilIdleAsync();

        (await waiting.Soon()).Should().Match<TaskRun>(
            run => run.State == TaskState.Finished && run.ExitCode == TaskExitCode.Success && run.Result.Count == 1);
    }

    [Fact]
    public async Task A_run_that_has_ended_is_returned_at_once()
    {
        await using var host = new TaskTestHost(
            configure: options => options.UnknownCommands = UnknownCommands.Fail);
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("nobody")] });

        var run = await host.Client.WaitAsync("t").Soon();

        (run.State, run.Error!.Kind, run.Ended).Should().Be(
            (TaskState.Failed, TaskErrorKind.UnknownCommand, TaskTestHost.Start));
    }

    [Fact]
    public async Task A_wait_lasts_through_retries()
    {
        var calls = 0;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("flaky", () => ++calls < 3 ? throw new InvalidOperationException() : calls));
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "t",
                MaxRetries = 2,
                RetryDelay = TimeSpan.FromSeconds(1),
                Commands = [new("flaky")],
            });
        var waiting = host.Client.WaitAsync("t");

        await host.RunUntilIdleAsync();
        waiting.IsCompleted.Should().BeFalse("a retry comes");
        await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        await host.AdvanceAsync(TimeSpan.FromSeconds(1));

        (await waiting.Soon()).Should().Match<TaskRun>(run => run.State == TaskState.Finished && run.Retries == 2);
    }

    [Fact]
    public async Task A_wait_returns_the_run_of_the_call_even_if_the_task_has_begun_another()
    {
        var calls = 0;
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("count", () => ++calls), store: null);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Cron = "* * * * *", RunAt = TaskTestHost.Start, Commands = [new("count")] });
        var first = host.Client.WaitAsync("t");

        await host.RunUntilIdleAsync();
        var second = host.Client.WaitAsync("t");
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        (await first.Soon()).Result.Texts().Should().Equal("1");
        (await second.Soon()).Result.Texts().Should().Equal("2");
        (await host.GetAsync("t")).Result.Texts().Should().Equal("3");
    }

    [Fact]
    public async Task A_reset_a_deletion_and_a_replacement_make_a_wait_throw()
    {
        await using var host = NewHost();
        foreach (var id in new[] { "reset", "deleted", "replaced" })
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = id, RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        }

        var reset = host.Client.WaitAsync("reset");
        var deleted = host.Client.WaitAsync("deleted");
        var replaced = host.Client.WaitAsync("replaced");
        await host.Client.ResetAsync("reset");
        await host.Client.DeleteAsync("deleted");
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "replaced", Commands = [new("do")] }, new() { OnConflict = OnConflict.Replace });

        await reset.Awaiting(task => task.Soon()).Should()
            .ThrowAsync<TaskRunLostException>().WithMessage("*was reset*");
        await deleted.Awaiting(task => task.Soon()).Should()
            .ThrowAsync<TaskRunLostException>().WithMessage("*was deleted*");
        await replaced.Awaiting(task => task.Soon()).Should()
            .ThrowAsync<TaskRunLostException>().WithMessage("*replaced*");
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        await using var host = NewHost();
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        using var giveUp = new CancellationTokenSource();
        var waiting = host.Client.WaitAsync("t", giveUp.Token);

        await giveUp.CancelAsync();

        await waiting.Awaiting(task => task.Soon()).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_wait_whose_hint_is_lost_ends_at_the_next_poll()
    {
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1), store: inner => new DeafStore(inner), realTime: true);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        (await host.Client.WaitAsync("t").Soon()).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task Earlier_runs_are_kept_up_to_a_bound()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => 1), options => options.KeptRuns = 2);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Cron = "* * * * *", RunAt = TaskTestHost.Start, Commands = [new("do")] });
        var runs = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            runs.Add((await host.GetAsync("t")).JobId);
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        var kept = new List<bool>();
        foreach (var run in runs)
        {
            kept.Add(await host.Store.GetRunAsync("t", run, default) is not null);
        }

        kept.Should().Equal(false, false, true, true);
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));
}
