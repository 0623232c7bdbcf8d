using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Two versions of a program over one store: what each may run, what waits, and what operators see.</summary>
public sealed class UnknownCommandTests
{
    private const int CommandUnknown = 313;

    [Fact]
    public async Task A_stage_that_an_executor_does_not_know_waits_for_one_that_does()
    {
        await using var old = new TaskTestHost(tasks => tasks.AddCommand("a", () => "old"));
        await using var next = Beside(old, tasks => tasks.AddCommand("a", () => "new").AddCommand("b", () => "new"));

        var waiting = await old.RunAsync(new TaskDefinition { Id = "t", Commands = [new("a"), new("b")] });

        (waiting.State, waiting.Stage, waiting.Managed.Hold).Should().Be(
            (TaskState.Queued, 1, TaskHold.UnknownCommand));
        (waiting.Managed.Attempt, waiting.Managed.Interruptions, waiting.QueuedAt).Should().Be((1, 0, old.Now));
        await next.RunUntilIdleAsync();
        var done = await next.GetAsync("t");
        done.State.Should().Be(TaskState.Finished);
        done.Result.Texts().Should().Equal("\"old\"", "\"new\"");
    }

    [Fact]
    public async Task A_task_that_no_executor_knows_is_never_claimed()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("a", () => 1));
        await host.RunUntilIdleAsync();

        var task = await host.RunAsync(new TaskDefinition { Commands = [new("missing")] });

        (task.State, task.Managed.Hold, task.StatusChange).Should().Be(
            (TaskState.Queued, TaskHold.UnknownCommand, host.Now));
        host.Logs.Lines.Should().NotContain(line => line.Text.Contains("ended the claim"));
    }

    [Fact]
    public async Task Special_commands_are_announced_too()
    {
        await using var host = new TaskTestHost();
        await host.RunUntilIdleAsync();

        var task = await host.RunAsync(new TaskDefinition { Commands = [new TimerCommand(TimeSpan.FromSeconds(1))] });

        task.State.Should().Be(TaskState.Waiting);
    }

    [Fact]
    public async Task A_filled_method_that_is_no_name_of_a_command_fails_the_stage()
    {
        await using var host = new TaskTestHost();

        var task = await host.RunAsync(
            new TaskDefinition { Kws = new { name = new string('x', 201) }, Commands = [new("[kws.name]")] });

        (task.State, task.Error!.Kind).Should().Be((TaskState.Failed, TaskErrorKind.UnknownCommand));
    }

    [Fact]
    public async Task A_method_that_each_executor_fills_with_another_name_fails_in_the_end()
    {
        await using var first = new TaskTestHost(
            tasks => tasks.AddCommand("run-two", () => 1), options => options.ExecutorData["name"] = "run-one");
        await using var second = Beside(
            first, tasks => tasks.AddCommand("run-one", () => 1), options => options.ExecutorData["name"] = "run-two");
        await first.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("[executor.name]")] });

        var names = new List<string?>();
        foreach (var host in new[] { first, second, first })
        {
            await host.RunUntilIdleAsync();
            names.Add((await first.GetAsync("t")).Managed.Method);
        }

        names.Should().Equal("run-one", "run-two", "run-two");
        var failed = await first.GetAsync("t");
        (failed.State, failed.Error!.Kind).Should().Be((TaskState.Failed, TaskErrorKind.UnknownCommand));
        failed.Error.Message.Should().Be(
            "3 executors filled the method of stage 0 with different names, the last one with \"run-one\". None of "
                + "these executors knew its command.");
    }

    [Fact]
    public async Task A_command_that_no_executor_knows_is_logged_once_an_hour()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("a", () => 1));
        await host.RunUntilIdleAsync();
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("missing")] });
        var loop = ActivatorUtilities.CreateInstance<HoldLoop>(host.Services, host.Options);

        await loop.RepairAsync(default);
        await loop.RepairAsync(default);
        Count(host).Should().Be(1);
        host.Logs.Lines.Single(line => line.Event.Id == CommandUnknown).Text.Should().Be(
            "No running executor of app default knows the command missing; its tasks wait. Start a version that knows "
                + "it, or cancel the tasks.");
        host.Clock.Advance(TimeSpan.FromMinutes(61));
        await host.Executor.HeartbeatAsync(default);
        await loop.RepairAsync(default);
        Count(host).Should().Be(2);

        await host.Client.CancelAsync("t");
        await loop.RepairAsync(default);
        Count(host).Should().Be(2);
        await host.RunAsync(new TaskDefinition { Commands = [new("missing")] });
        await loop.RepairAsync(default);
        Count(host).Should().Be(3, "the first case was over");
    }

    [Fact]
    public async Task An_executor_that_was_expelled_announces_its_commands_before_its_next_claim()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("a", () => 1));
        await host.RunUntilIdleAsync();
        await host.WatchForAsync(TimeSpan.FromMinutes(5));
        await host.Store.ExpelDeadExecutorsAsync(100, default);
        (await host.Store.ListExecutorsAsync(default)).Should().BeEmpty();

        await host.RunUntilIdleAsync();
        var task = await host.RunAsync(new TaskDefinition { Commands = [new("missing")] });

        task.Managed.Hold.Should().Be(TaskHold.UnknownCommand);
    }

    [Fact]
    public async Task An_executor_with_Fail_takes_every_task_and_fails_what_it_does_not_know()
    {
        await using var host = new TaskTestHost(configure: options => options.UnknownCommands = UnknownCommands.Fail);
        host.Executor.Info.Commands.Should().BeNull();

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("missing")] });

        (failed.State, failed.Error!.Kind).Should().Be((TaskState.Failed, TaskErrorKind.UnknownCommand));
    }

    [Fact]
    public async Task Clients_pause_and_resume_apps_and_methods()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("a", () => 1).AddCommand("b", () => 1));
        await host.Client.PauseAsync(new TaskPause { Method = "a", Reason = "the shop is down" });
        var a = await host.RunAsync(new TaskDefinition { Id = "a", Commands = [new("a")] });
        var b = await host.RunAsync(new TaskDefinition { Id = "b", Commands = [new("b"), new("a")] });

        (a.State, a.Managed.Hold).Should().Be((TaskState.Queued, TaskHold.Paused));
        b.State.Should().Be(TaskState.Finished, "stages of a run that is claimed follow one another");
        (await host.Client.ListPausesAsync()).Should().ContainSingle().Which.Reason.Should().Be("the shop is down");

        (await host.Client.ResumeAsync(method: "a")).Should().BeTrue();
        await ReleaseAsync(host.Store);
        await host.RunUntilIdleAsync();
        (await host.GetAsync("a")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_running_host_lifts_a_pause_by_itself()
    {
        await using var host = new RunningHost(tasks => tasks.AddCommand("a", () => 1));
        await host.Client.PauseAsync(new TaskPause { Method = "a", Until = host.Clock.GetUtcNow().AddSeconds(4) });
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("a")] });

        // Several loops sleep as long as the one that repairs holds, and a step may pass before it sleeps.
        var waiting = host.Client.WaitAsync("t");
        for (var steps = 0; steps < 10 && !waiting.IsCompleted; steps++)
        {
            await host.Clock.PassAsync(TimeSpan.FromSeconds(5));
        }

        (await waiting.Soon()).State.Should().Be(TaskState.Finished);
    }

    private static TaskTestHost Beside(
        TaskTestHost host, Action<KaijuTasksBuilder>? build = null, Action<KaijuTasksOptions>? configure = null) =>
        new(
            tasks =>
            {
                tasks.Services.AddSingleton(host.Services.GetRequiredService<ITaskQueue>());
                build?.Invoke(tasks);
            },
            configure,
            host.Store,
            host.Clock);

    private static int Count(TaskTestHost host) => host.Logs.Lines.Count(line => line.Event.Id == CommandUnknown);

    /// <summary>Repairs holds until there are no more to repair.</summary>
    private static async Task ReleaseAsync(ITaskStore store)
    {
        while ((await store.RepairHoldsAsync(100, default)).HasMore)
        {
        }
    }
}
