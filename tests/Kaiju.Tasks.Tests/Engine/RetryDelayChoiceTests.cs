using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>The host's function that chooses the delay before a retry.</summary>
public sealed class RetryDelayChoiceTests
{
    private readonly List<RetryContext> _asked = [];
    private Func<RetryContext, TimeSpan?> _choose = _ => null;

    [Fact]
    public async Task The_function_chooses_the_delay_from_the_attempt_and_the_error()
    {
        await using var host = NewHost();
        _choose = context => TimeSpan.FromMinutes(context.Attempt);

        var failed = await host.RunAsync(Task("fail"));

        failed.RetryAt.Should().Be(host.Now.AddMinutes(1));
        var asked = _asked.Should().ContainSingle().Which;
        (asked.TaskId, asked.Method, asked.Stage, asked.Attempt, asked.StageAttempt)
            .Should().Be(("t", "fail", 1, 1, 1));
        (asked.Error.Kind, asked.Error.Message).Should().Be((TaskErrorKind.Handler, "full"));
        asked.Exception.Should().BeOfType<IOException>();
        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 221).Which.Text.Should()
            .Contain("retrying in 00:01:00");

        await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        (await host.GetAsync("t")).RetryAt.Should().Be(host.Now.AddMinutes(2));
        (_asked[1].Attempt, _asked[1].StageAttempt).Should().Be((2, 2));
    }

    [Fact]
    public async Task Null_means_the_declared_delay()
    {
        await using var host = NewHost();

        (await host.RunAsync(Task("fail"))).RetryAt.Should().Be(host.Now.AddSeconds(20));
        _asked.Should().ContainSingle();
    }

    [Fact]
    public async Task The_delay_of_the_handler_wins_over_the_function()
    {
        await using var host = NewHost();
        _choose = _ => TimeSpan.FromMinutes(1);

        (await host.RunAsync(Task("later"))).RetryAt.Should().Be(host.Now.AddHours(1));
        _asked.Should().BeEmpty();
    }

    [Theory]
    [InlineData("final", 5)]
    [InlineData("fail", 0)]
    public async Task The_function_is_not_asked_about_a_failure_that_is_not_retried(string method, int retries)
    {
        await using var host = NewHost();

        (await host.RunAsync(Task(method) with { MaxRetries = retries })).HasEnded.Should().BeTrue();
        _asked.Should().BeEmpty();
    }

    [Fact]
    public async Task The_function_is_asked_about_every_failure_that_the_executor_reports()
    {
        await using var host = NewHost();
        _choose = _ => TimeSpan.FromMinutes(5);

        var failed = await host.RunAsync(Task("fail") with
        {
            Commands = [new("do"), new("do") { Params = new { x = "[kws.missing]" } }],
        });

        failed.RetryAt.Should().Be(host.Now.AddMinutes(5));
        _asked.Should().ContainSingle().Which.Error.Kind.Should().Be(TaskErrorKind.Template);
    }

    public static TheoryData<string, Func<TimeSpan?>> Faults => new()
    {
        { "its answer is -00:00:01", () => TimeSpan.FromSeconds(-1) },
        { "its answer is 400.00:00:00; it must be from 0 to 366.00:00:00", () => TimeSpan.FromDays(400) },
        { "it threw", () => throw new InvalidOperationException("no idea") },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_function_that_fails_is_logged_once_a_minute_and_the_declared_delay_is_used(
        string reason, Func<TimeSpan?> answer)
    {
        await using var host = NewHost();
        _choose = _ => answer();

        (await host.RunAsync(Task("fail"))).RetryAt.Should().Be(host.Now.AddSeconds(20));
        for (var i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        }

        _asked.Should().HaveCount(4);
        var lines = host.Logs.Lines.Where(line => line.Event.Id == 223).ToList();
        lines.Should().HaveCount(2, "the second line is a minute after the first");
        lines.Should().OnlyContain(line => line.Level == LogLevel.Warning && line.Text.Contains(reason));
    }

    [Fact]
    public async Task A_failure_that_a_manager_finds_has_the_declared_delay()
    {
        await using var host = NewHost();
        _choose = _ => TimeSpan.FromMinutes(5);
        await host.Client.CreateAsync(Task("fail") with { MaxExecTimeout = TimeSpan.FromSeconds(10) });
        await host.Store.ClaimAsync(host.Executor.Info, ["t"], default);

        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.Store.AbortOverdueAsync(10, default);

        (await host.GetAsync("t")).RetryAt.Should().Be(host.Now.AddSeconds(20));
        _asked.Should().BeEmpty();
    }

    private TaskTestHost NewHost() => new(
        tasks => tasks
            .AddCommand("do", (string? x) => x)
            .AddCommand("fail", void () => throw new IOException("full"))
            .AddCommand("later", void () =>
                throw new StageFailedException("busy") { RetryAfter = TimeSpan.FromHours(1) })
            .AddCommand("final", void () => throw new StageFailedException("never") { IsFinal = true }),
        options => options.ChooseRetryDelay = context =>
        {
            _asked.Add(context);
            return _choose(context);
        });

    private static TaskDefinition Task(string method) => new()
    {
        Id = "t",
        MaxRetries = 5,
        RetryDelay = TimeSpan.FromSeconds(20),
        Commands = [new("do"), new(method)],
    };
}
