using System.Text.Json;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Timers and messages park a task without holding a worker.</summary>
public sealed class WaitCommandTests
{
    [Fact]
    public async Task A_timer_holds_no_worker_and_ends_when_it_is_due()
    {
        await using var host = NewHost();
        await host.RunAsync(
            new TaskDefinition { Id = "t", Commands = [new TimerCommand(TimeSpan.FromMinutes(5)), new("do")] });

        host.Executor.IsRunning.Should().BeFalse();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(task =>
            task.State == TaskState.Waiting && task.WaitDeadline == TaskTestHost.Start.AddMinutes(5)
                && task.ExecutorId == null);
        await host.AdvanceAsync(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        (await host.GetAsync("t")).State.Should().Be(TaskState.Waiting);
        await host.AdvanceAsync(TimeSpan.FromTicks(1));
        (await host.GetAsync("t")).Result.Texts().Should().Equal("null", "\"done\"");
    }

    [Fact]
    public async Task A_timers_length_may_come_from_an_earlier_result()
    {
        await using var host = NewHost();
        var waiting = await host.RunAsync(
            new TaskDefinition { Id = "t", Kws = new { delay = 90.5 }, Commands = [new TimerCommand("[kws.delay]")] });

        waiting.WaitDeadline.Should().Be(TaskTestHost.Start.AddSeconds(90.5));
    }

    [Theory]
    [InlineData("\"soon\"", "params.timer is a text of 4 characters; it must be")]
    [InlineData("-5", "params.timer is a whole number of 1 digit; it must be")]
    [InlineData("1e20", "params.timer is a decimal number; it must be")]
    public async Task A_timer_with_an_invalid_filled_delay_fails_the_stage(string delay, string why)
    {
        await using var host = NewHost();

        var failed = await host.RunAsync(
            new TaskDefinition
            {
                KwsJson = Json.Of($$"""{"delay": {{delay}}}"""),
                Commands = [new TimerCommand("[kws.delay]")],
            });

        failed.Error!.Kind.Should().Be(TaskErrorKind.Params);
        failed.Error.Message.Should().Contain(why);
    }

    [Fact]
    public async Task A_message_is_the_stages_result()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new MessageCommand(), new("do")] });

        (await host.Client.SendMessageAsync("t", Json.Of("""{"a": 1.50}"""))).Should().BeTrue();
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Result.Texts().Should().Equal("""{"a": 1.50}""", "\"done\"");
    }

    [Fact]
    public async Task A_message_for_a_task_that_does_not_wait_for_one_is_refused()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "timer", Commands = [new TimerCommand(TimeSpan.FromDays(1))] });
        await host.RunAsync(new TaskDefinition { Id = "done", Commands = [new("do")] });
        await host.RunAsync(new TaskDefinition { Id = "twice", Commands = [new MessageCommand(), new("do")] });

        (await host.Client.SendMessageAsync("timer", 1)).Should().BeFalse();
        (await host.Client.SendMessageAsync("done", 1)).Should().BeFalse();
        (await host.Client.SendMessageAsync("nobody", 1)).Should().BeFalse();
        (await host.Client.SendMessageAsync("twice", 1)).Should().BeTrue();
        (await host.Client.SendMessageAsync("twice", 2)).Should().BeFalse();
        await host.RunUntilIdleAsync();
        (await host.GetAsync("twice")).Result.Texts().Should().Equal("1", "\"done\"");
    }

    [Fact]
    public async Task A_message_wait_has_a_timeout_of_its_own()
    {
        await using var host = NewHost();
        await host.RunAsync(
            new TaskDefinition
            {
                Id = "t",
                MaxRetries = 3,
                Commands = [new("do"), new MessageCommand { MaxTimeout = TimeSpan.FromDays(3) }],
            });

        await host.AdvanceAsync(TimeSpan.FromDays(3));

        var failed = await host.GetAsync("t");
        (failed.State, failed.ExitCode, failed.RetryAt).Should().Be(
            (TaskState.Failed, TaskExitCode.Aborted, null), "no message came in time, and that is final");
        failed.Error!.Kind.Should().Be(TaskErrorKind.MessageTimeout);
        (await host.Client.SendMessageAsync("t", 1)).Should().BeFalse();
    }

    [Fact]
    public async Task A_late_message_is_refused_even_before_a_manager_has_noticed()
    {
        await using var host = NewHost();
        await host.RunAsync(
            new TaskDefinition { Id = "t", Commands = [new MessageCommand { MaxTimeout = TimeSpan.FromMinutes(1) }] });
        host.Clock.Advance(TimeSpan.FromMinutes(1));

        (await host.Client.SendMessageAsync("t", 1)).Should().BeFalse();
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).Error!.Kind.Should().Be(TaskErrorKind.MessageTimeout);
    }

    [Fact]
    public async Task A_message_that_cannot_be_stored_is_refused_and_the_task_keeps_waiting()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new MessageCommand()] });

        await FluentActions.Awaiting(() => host.Client.SendMessageAsync("t", "a\0")).Should()
            .ThrowAsync<TaskValidationException>();
        await FluentActions.Awaiting(() => host.Client.SendMessageAsync("t", Json.Of("""{"a": 1, "a": 2}"""))).Should()
            .ThrowAsync<TaskValidationException>();
        (await host.GetAsync("t")).State.Should().Be(TaskState.Waiting);
    }

    [Fact]
    public async Task A_message_may_be_an_undefined_element()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new MessageCommand()] });

        (await host.Client.SendMessageAsync("t", default(JsonElement))).Should().BeTrue();

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.Result.Count == 1);
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));
}
