
namespace Kaiju.Tasks.Tests.Engine;

public sealed class RetryTests
{
    private readonly List<string> _calls = [];
    private int _failures;

    [Fact]
    public async Task A_retry_of_current_repeats_the_failed_stage_alone()
    {
        await using var host = NewHost();
        _failures = 2;

        var done = await host.RunAsync(Task(RestartPolicy.Current, 2));

        done.State.Should().Be(TaskState.Finished);
        done.Retries.Should().Be(2);
        done.Error.Should().BeNull("a retry starts without the old error");
        _calls.Should().Equal("a", "b", "b", "b");
        done.Result.Texts().Should().Equal("\"a\"", "\"b\"");
    }

    [Theory]
    [InlineData(59, 221)]
    [InlineData(61, 222)]
    public async Task A_failure_after_the_time_for_retries_is_logged_as_final(int secondsInTheQueue, int logged)
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("fail", void () => throw new IOException("full")),
            options => options.SuspendedLifetime = TimeSpan.FromMinutes(1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", MaxRetries = 5, Commands = [new("fail")] });
        host.Clock.Advance(TimeSpan.FromSeconds(secondsInTheQueue));

        await host.Executor.Claimer.ClaimAsync(default);
        await host.Executor.WhenIdleAsync();

        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 221 || line.Event.Id == 222).Which.Event.Id
            .Should().Be(logged);
        ((await host.GetAsync("t")).RetryAt is null).Should().Be(logged == 222);
    }

    [Fact]
    public async Task A_retry_of_first_begins_a_new_pass_without_results()
    {
        await using var host = NewHost();
        _failures = 1;

        var done = await host.RunAsync(Task(RestartPolicy.First, 2));

        done.State.Should().Be(TaskState.Finished);
        done.Managed.Pass.Should().Be(1);
        _calls.Should().Equal("a", "b", "a", "b");
        done.Result.Texts().Should().Equal("\"a\"", "\"b\"");
    }

    [Fact]
    public async Task A_retry_of_first_repeats_timers_and_message_waits()
    {
        await using var host = NewHost();
        _failures = 1;
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            MaxRetries = 1,
            RestartPolicy = RestartPolicy.First,
            Commands = [new TimerCommand(TimeSpan.FromMinutes(1)), new MessageCommand(), new("b")],
        });

        for (var pass = 0; pass < 2; pass++)
        {
            await host.RunUntilIdleAsync();
            (await host.GetAsync("t")).Should().Match<TaskRecord>(
                task => task.State == TaskState.Waiting && task.Stage == 0 && task.Managed.Pass == pass);
            await host.AdvanceAsync(TimeSpan.FromMinutes(1));
            (await host.Client.SendMessageAsync("t", new { pass })).Should().BeTrue();
            await host.RunUntilIdleAsync();
        }

        var done = await host.GetAsync("t");
        done.State.Should().Be(TaskState.Finished);
        done.Result.Texts().Should().Equal("null", """{"pass":1}""", "\"b\"");
    }

    [Fact]
    public async Task The_failure_after_the_last_retry_is_final()
    {
        await using var host = NewHost();
        _failures = 100;

        var failed = await host.RunAsync(Task(RestartPolicy.Current, 3));

        (failed.State, failed.Retries, failed.RetryAt).Should().Be((TaskState.Failed, 3, null));
        _calls.Should().Equal("a", "b", "b", "b", "b");
        failed.Result.Texts().Should().Equal("\"a\"");
    }

    [Fact]
    public async Task A_retry_comes_when_its_delay_is_over()
    {
        await using var host = NewHost();
        _failures = 1;
        await host.RunAsync(Task(RestartPolicy.Current, 1) with { RetryDelay = TimeSpan.FromSeconds(30) });

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Failed && task.RetryAt == TaskTestHost.Start.AddSeconds(30));
        await host.AdvanceAsync(TimeSpan.FromSeconds(29));
        (await host.GetAsync("t")).State.Should().Be(TaskState.Failed);
        await host.AdvanceAsync(TimeSpan.FromSeconds(1));

        (await host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_task_without_a_retry_delay_takes_the_hosts()
    {
        await using var host = NewHost(options => options.RetryDelay = RetryDelay.Default);
        _failures = 1;

        var failed = await host.RunAsync(Task(RestartPolicy.Current, 1));

        (failed.RetryAt!.Value - host.Now).TotalSeconds.Should().BeInRange(0.8, 1.2);
    }

    private TaskTestHost NewHost(Action<KaijuTasksOptions>? configure = null) => new(
        tasks => tasks
            .AddCommand("a", () => Call("a"))
            .AddCommand(
                "b",
                () => Call("b") is var called && _failures-- > 0
                    ? throw new InvalidOperationException("not yet")
                    : called),
        configure);

    private static TaskDefinition Task(RestartPolicy policy, int retries) =>
        new() { Id = "t", MaxRetries = retries, RestartPolicy = policy, Commands = [new("a"), new("b")] };

    private string Call(string name)
    {
        _calls.Add(name);
        return name;
    }
}
