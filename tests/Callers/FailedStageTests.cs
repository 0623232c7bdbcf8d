using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>A failed stage is logged at the default level: as a warning if it is retried, as an error if not.</summary>
public abstract class FailedStageTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    private readonly LineLog _log = new(LogLevel.Warning);

    [Fact]
    public async Task A_failed_stage_is_logged_with_its_exception_its_place_and_its_next_try()
    {
        var attempts = 0;
        using var host = await StartAsync(tasks => tasks
            .AddCommand("first", () => 1)
            .AddCommand(
                "fail", void () => throw new IOException($"disk {Interlocked.Increment(ref attempts)} is full")));

        var run = await RunAsync(host, new TaskDefinition
        {
            Id = "t",
            MaxRetries = 1,
            RetryDelay = TimeSpan.FromMilliseconds(20),
            Commands = [new("first"), new("fail")],
        });

        _log.Lines.Should().HaveCount(2);
        var (retried, final) = (_log.Lines[0], _log.Lines[1]);
        retried.Should().BeEquivalentTo(new
        {
            Level = LogLevel.Warning,
            Id = 221,
            Text =
                $"Task t, run {run.JobId}: attempt 1 failed at stage 1 (fail), retrying in 00:00:00.0200000: disk 1 "
                    + $"is full",
        });
        retried.Exception.Should().BeOfType<IOException>();
        retried.Properties.Should().Contain(new Dictionary<string, object?>
        {
            ["TaskId"] = "t",
            ["JobId"] = run.JobId,
            ["Stage"] = 1,
            ["Attempt"] = 1,
            ["Method"] = "fail",
            ["Delay"] = TimeSpan.FromMilliseconds(20),
        });
        final.Should().BeEquivalentTo(new
        {
            Level = LogLevel.Error,
            Id = 222,
            Text = $"Task t, run {run.JobId}: attempt 2 failed at stage 1 (fail), no retries are left: disk 2 is full",
        });
        final.Exception.Should().BeOfType<IOException>();
        final.Properties.Should().Contain(new Dictionary<string, object?>
        {
            ["TaskId"] = "t",
            ["JobId"] = run.JobId,
            ["Stage"] = 1,
            ["Attempt"] = 2,
            ["Method"] = "fail",
        });
    }

    [Fact]
    public async Task The_hosts_own_delay_is_logged_for_a_task_without_one()
    {
        var attempts = 0;
        using var host = await StartAsync(
            tasks => tasks.AddCommand(
                "fail once", () => Interlocked.Increment(ref attempts) == 1 ? throw new IOException("full") : 1),
            options => options.RetryDelay = RetryDelay.Constant(TimeSpan.FromMilliseconds(30)));

        await RunAsync(host, new TaskDefinition { Id = "t", MaxRetries = 1, Commands = [new("fail once")] });

        _log.Lines.Should().ContainSingle().Which.Properties["Delay"].Should().Be(TimeSpan.FromMilliseconds(30));
    }

    /// <summary>Failures that no handler's exception caused.</summary>
    [Theory]
    [InlineData("template", "Task t, run {0}: attempt 1 failed at stage 0 (do), no retries are left: *kws.missing*")]
    [InlineData(
        "unknown", "Task t, run {0}: attempt 1 failed at stage 0 (nothing like it), no retries are left: The command*")]
    [InlineData("timeout", "Task t, run {0}: attempt 1 failed at stage 0 (sleep), no retries are left: *")]
    public async Task A_failure_of_another_kind_is_logged_too(string kind, string text)
    {
        using var host = await StartAsync(tasks => tasks
            .AddCommand("do", (string? x) => x)
            .AddCommand("sleep", (CancellationToken token) => Task.Delay(Timeout.InfiniteTimeSpan, token)),
            options => options.UnknownCommands = UnknownCommands.Fail);
        var command = kind switch
        {
            "template" => new TaskCommand("do") { Params = new { x = "[kws.missing]" } },
            "unknown" => new TaskCommand("nothing like it"),
            _ => new TaskCommand("sleep") { MaxTimeout = TimeSpan.FromSeconds(1) },
        };

        var run = await RunAsync(host, new TaskDefinition { Id = "t", Commands = [command] });

        _log.Lines.Should().ContainSingle().Which
            .Should().Match<LineLog.Line>(line => line.Id == 222 && line.Level == LogLevel.Error)
            .And.Subject.As<LineLog.Line>().Text.Should().Match(
                string.Format(System.Globalization.CultureInfo.InvariantCulture, text, run.JobId));
    }

    [Fact]
    public async Task A_stage_that_parks_its_task_or_ends_it_is_not_logged()
    {
        using var host = await StartAsync(tasks => tasks.AddCommand("do", () => 1));

        await RunAsync(host, new TaskDefinition { Id = "t", Commands = [new("do"), new("do")] });

        _log.Lines.Should().BeEmpty();
    }

    /// <summary>Registers the store; each test has an empty one.</summary>
    protected abstract void UseStore(KaijuTasksBuilder tasks);

    private static async Task<TaskRun> RunAsync(IHost host, TaskDefinition definition)
    {
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(definition);
        var run = await client.WaitAsync(definition.Id!).WaitAsync(_bound);

        // A line may be logged after the report; a stop waits for the run.
        await host.StopAsync();
        return run;
    }

    private async Task<IHost> StartAsync(Action<KaijuTasksBuilder> build, Action<KaijuTasksOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(_log.NewProvider());
        var tasks = builder.Services.AddKaijuTasks(configure ?? (_ => { }));
        UseStore(tasks);
        build(tasks);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
