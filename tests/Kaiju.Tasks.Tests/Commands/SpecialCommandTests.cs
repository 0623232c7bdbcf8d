using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class SpecialCommandTests
{
    [Fact]
    public async Task A_third_special_command_is_built_on_the_same_registry()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddSpecialCommand(new UntilCommand()).AddCommand("do", () => 1));
        await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new { at = "2024-06-15T12:05:00Z" },
            Commands =
            [
                new("do"),
                new("_UNTIL_", new { time = "[kws.at]" }) { Condition = TaskCondition.Where("0").EqualTo(1) },
                new("_UNTIL_", new { time = "[kws.at]" }) { Condition = TaskCondition.Where("0").EqualTo(2) },
                new("_UNTIL_", new { time = "2000-01-01T00:00:00Z" }),
            ],
        });

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Waiting && task.Stage == 1
                && task.WaitDeadline == TaskTestHost.Start.AddSeconds(270));
        await host.AdvanceAsync(TimeSpan.FromSeconds(270));

        (await host.GetAsync("t")).Result.Texts().Should().Equal("1", "null", "null", "\"it was over\"");
    }

    [Fact]
    public async Task A_special_command_checks_its_params_when_a_task_is_created()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddSpecialCommand(new UntilCommand()));

        await FluentActions.Awaiting(
            () => host.Client.CreateAsync(new TaskDefinition { Commands = [new("_UNTIL_", new { time = 5 })] }))
            .Should().ThrowAsync<TaskValidationException>().WithMessage(
                "*commands[0].params.time is 5; it must be a time.");
    }

    [Fact]
    public async Task An_exception_or_an_invalid_outcome_of_a_special_command_fails_the_stage()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddSpecialCommand(new UntilCommand()));

        var thrown = await host.RunAsync(
            new TaskDefinition { Kws = new { at = "never" }, Commands = [new("_UNTIL_", new { time = "[kws.at]" })] });
        var tooLong = await host.RunAsync(
            new TaskDefinition { Commands = [new("_UNTIL_", new { time = "2100-01-01T00:00:00Z" })] });

        (thrown.Error!.Kind, thrown.Error.Type).Should().Be((TaskErrorKind.Handler, typeof(FormatException).FullName));
        tooLong.Error!.Kind.Should().Be(TaskErrorKind.Params);
    }

    [Fact]
    public async Task Outcomes_of_a_special_command_are_bounded_like_any_other()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddSpecialCommand(
                new Scripted(
                    "_BIG_", () => StageOutcome.Failed(TaskError.FromJson(Json.Of($"\"{new string('x', 100_000)}\"")))))
            .AddSpecialCommand(
                new Scripted(
                    "_BROKEN_", () => StageOutcome.Failed(TaskError.FromJson(Json.Of("""["\ud800", "\u0000"]""")))))
            .AddSpecialCommand(new Scripted("_NOTHING_", () => null!))
            .AddSpecialCommand(new Scripted("_DEEP_", () => StageOutcome.Completed(Json.Of("""{"a": 1, "a": 2}""")))));

        foreach (var (
            method,
            kind) in new[] { ("_BIG_", "other"),
            ("_BROKEN_", "other"),
            ("_NOTHING_", "handler"),
            ("_DEEP_", "result") })
        {
            var failed = await host.RunAsync(new TaskDefinition { Commands = [new(method)] });
            failed.Error!.Kind.Should().Be(kind, method);
            StorableJson.IsStorable(JsonText.Raw(failed.Error.Json), maxBytes: 8 * 1024, maxDepth: 64).Should()
                .BeTrue();
        }
    }

    [Fact]
    public async Task Timer_and_message_are_registered_like_any_special_command_and_can_be_replaced()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddSpecialCommand(new Impatient()));

        host.Services.GetServices<SpecialCommand>().Select(special => special.Method)
            .Should().Equal("_TIMER_", "_MESSAGE_", "_TIMER_");
        host.Services.GetRequiredService<SpecialCommandRegistry>().Find("_TIMER_").Should().BeOfType<Impatient>();
        (await host.RunAsync(
            new TaskDefinition
            {
                Commands = [new TimerCommand(TimeSpan.FromDays(1))],
            })).State.Should().Be(TaskState.Finished);
    }

    /// <summary>Waits until a time of the day; written as a user would, with public types alone.</summary>
    private sealed class UntilCommand : SpecialCommand
    {
        public override string Method => "_UNTIL_";

        public override IEnumerable<string> Check(TaskCommand command, TaskLimits limits)
        {
            if (command.ParamsJson.GetProperty("time").ValueKind != JsonValueKind.String)
            {
                yield return $"params.time is {command.ParamsJson.GetProperty("time")}; it must be a time.";
            }
        }

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context, CancellationToken cancellationToken)
        {
            var left = context.Params.GetProperty("time").GetDateTimeOffset() - TaskTestHost.Start;
            return ValueTask.FromResult(left > TimeSpan.Zero
                ? StageOutcome.WaitFor(left)
                : StageOutcome.Completed(JsonElement.Parse("\"it was over\"")));
        }
    }

    private sealed class Scripted(string method, Func<StageOutcome> outcome) : SpecialCommand
    {
        public override string Method => method;

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context, CancellationToken cancellationToken) => ValueTask.FromResult(outcome());
    }

    private sealed class Impatient : SpecialCommand
    {
        public override string Method => TimerCommand.MethodName;

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(StageOutcome.Completed());
    }
}
