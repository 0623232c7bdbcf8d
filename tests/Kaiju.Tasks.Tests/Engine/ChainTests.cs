namespace Kaiju.Tasks.Tests.Engine;

public sealed class ChainTests
{
    [Fact]
    public async Task A_finished_task_starts_its_next_one()
    {
        await using var host = NewHost();
        await CreateAsync(host, "after", null);
        (await host.GetAsync("after")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Idle && task.NextRun == null);
        await host.AdvanceAsync(TimeSpan.FromDays(400));
        (await host.GetAsync("after")).State.Should().Be(TaskState.Idle, "it runs on demand only");

        await host.RunAsync(new TaskDefinition { Id = "first", NextTask = "after", Commands = [new("do")] });

        (await host.GetAsync("after")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_failed_task_does_not_start_its_next_one()
    {
        await using var host = NewHost();
        await CreateAsync(host, "after", null);

        await host.RunAsync(new TaskDefinition { Id = "first", NextTask = "after", Commands = [new("nobody")] });

        (await host.GetAsync("after")).State.Should().Be(TaskState.Idle);
    }

    [Fact]
    public async Task A_chained_task_that_has_run_before_starts_over_as_a_new_run()
    {
        await using var host = NewHost();
        await CreateAsync(host, "after", null);
        await host.RunAsync(new TaskDefinition { Id = "first", NextTask = "after", Commands = [new("do")] });
        var before = await host.GetAsync("after");

        await host.RunAsync(new TaskDefinition { Id = "second", NextTask = "after", Commands = [new("do")] });

        var again = await host.GetAsync("after");
        again.State.Should().Be(TaskState.Finished);
        again.JobId.Should().NotBe(before.JobId);
        (await host.Store.GetRunAsync("after", before.JobId, default)).Should().Match<TaskRun>(
            run => run.State == TaskState.Finished && run.Result.Count == 1);
    }

    [Fact]
    public async Task A_task_may_chain_to_itself()
    {
        var runs = 0;
        await using var host = new TaskTestHost(
            tasks =>
                tasks.AddCommand("count", () => ++runs < 5 ? runs : throw new InvalidOperationException("enough")));

        var last = await host.RunAsync(new TaskDefinition { Id = "t", NextTask = "t", Commands = [new("count")] });

        last.State.Should().Be(TaskState.Failed);
        runs.Should().Be(5);
    }

    [Fact]
    public async Task A_chain_to_an_unknown_task_leaves_the_task_finished()
    {
        await using var host = NewHost();

        (await host.RunAsync(
            new TaskDefinition { NextTask = "nobody", Commands = [new("do")] })).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_wait_as_the_last_command_starts_the_next_task_too()
    {
        await using var host = NewHost();
        await CreateAsync(host, "after", null);
        await host.RunAsync(new TaskDefinition { Id = "first", NextTask = "after", Commands = [new MessageCommand()] });

        await host.Client.SendMessageAsync("first", 1);
        await host.RunUntilIdleAsync();

        (await host.GetAsync("after")).State.Should().Be(TaskState.Finished);
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));

    private static Task CreateAsync(TaskTestHost host, string id, string? next) =>
        host.Client.CreateAsync(
            new TaskDefinition { Id = id, RunAt = TaskDefinition.OnDemand, NextTask = next, Commands = [new("do")] });
}
