using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>How a handler's <see cref="StageFailedException"/> and a special command's failure end a stage.</summary>
public sealed class StageFailureTests
{
    [Fact]
    public async Task A_final_failure_is_not_retried_and_tells_programs_why()
    {
        await using var host = Throwing(() => new StageFailedException("The card was declined.", new IOException("402"))
        {
            IsFinal = true,
            Type = "card_declined",
            Data = new { Code = 402, Retry = (string?)null },
        });

        var failed = await host.RunAsync(Task(retries: 3));

        (failed.State, failed.RetryAt, failed.Retries).Should().Be((TaskState.Failed, null, 0));
        failed.Error.Should().Match<TaskError>(error => error.Kind == TaskErrorKind.Handler
            && error.Type == "card_declined" && error.Message == "The card was declined."
            && error.Details!.Contains("IOException"));
        failed.Error!.Data.GetRawText().Should().Be("""{"code":402,"retry":null}""");
        TaskRecord.FromJson(failed.ToJson()).Error!.Data.GetRawText().Should().Be("""{"code":402,"retry":null}""");
        var line = host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 221 || line.Event.Id == 222).Which;
        (line.Event.Id, line.Level).Should().Be((222, LogLevel.Error));
        line.Text.Should().Contain("failed at stage 0 (fail), the failure is final: The card was declined.");
    }

    [Fact]
    public async Task A_failure_without_more_is_as_any_exception()
    {
        await using var host = Throwing(() => new StageFailedException("not yet"));

        var failed = await host.RunAsync(Task(retries: 1) with { RetryDelay = TimeSpan.FromMinutes(1) });

        failed.RetryAt.Should().Be(host.Now.AddMinutes(1));
        (failed.Error!.Type, failed.Error.Message, failed.Error.Data.ValueKind)
            .Should().Be(("Kaiju.Tasks.StageFailedException", "not yet", JsonValueKind.Undefined));
        failed.Error.Json.TryGetProperty("data", out _).Should().BeFalse();
    }

    [Fact]
    public async Task A_failure_chooses_the_time_of_its_retry_while_one_is_left()
    {
        await using var host = Throwing(() => new StageFailedException("busy") { RetryAfter = TimeSpan.FromHours(3) });

        var failed = await host.RunAsync(Task(retries: 1) with { RetryDelay = TimeSpan.Zero });

        failed.RetryAt.Should().Be(host.Now.AddHours(3));
        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 221).Which.Text.Should()
            .Contain("retrying in 03:00:00");
        await host.AdvanceAsync(TimeSpan.FromHours(3));
        (await host.GetAsync("t")).HasEnded.Should().BeTrue("the only retry is used up");
        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 222).Which.Text.Should()
            .Contain("no retries are left");
    }

    [Fact]
    public async Task A_time_before_a_retry_is_shortened_to_the_hosts_limit()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("fail", void () => throw new StageFailedException("busy")
            {
                RetryAfter = TimeSpan.FromDays(9),
            }),
            options => options.Limits = new TaskLimits { MaxWait = TimeSpan.FromDays(2) });

        (await host.RunAsync(Task(retries: 1))).RetryAt.Should().Be(host.Now.AddDays(2));
    }

    public static TheoryData<string, Func<Exception, Exception>, bool> Wrappings => new()
    {
        { "by middleware", thrown => new InvalidOperationException("wrapped", thrown), true },
        { "twice", thrown => new IOException("b", new InvalidOperationException("a", thrown)), true },
        { "by a task", thrown => new AggregateException(thrown), true },
        { "with another", thrown => new AggregateException(thrown, new IOException()), false },
        { "as the cause of another failure", thrown => new StageFailedException("outer", thrown), false },
    };

    [Theory]
    [MemberData(nameof(Wrappings))]
    public async Task A_failure_is_found_inside_of_one_exception_but_not_among_several(
        string how, Func<Exception, Exception> wrap, bool isFound)
    {
        await using var host = Throwing(() => wrap(new StageFailedException("inner") { IsFinal = true }));

        var failed = await host.RunAsync(Task(retries: 1) with { RetryDelay = TimeSpan.FromDays(1) });

        (failed.RetryAt is null).Should().Be(isFound, how);
        (failed.Error!.Message == "inner").Should().Be(isFound, how);
        failed.Error.Details.Should().Contain("inner", "the details have the whole exception");
    }

    [Fact]
    public async Task A_failure_among_awaited_tasks_is_found()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("fail", () => System.Threading.Tasks.Task
            .WhenAll(
                System.Threading.Tasks.Task.CompletedTask,
                System.Threading.Tasks.Task.FromException(new StageFailedException("inner") { IsFinal = true }))));

        (await host.RunAsync(Task(retries: 1))).Error!.Message.Should().Be("inner");
        (await host.GetAsync("t")).Retries.Should().Be(0);
    }

    [Fact]
    public async Task Data_that_cannot_be_written_is_left_out_with_a_warning()
    {
        await using var host = Throwing(() => new StageFailedException("boom") { IsFinal = true, Data = new Odd() });

        var failed = await host.RunAsync(Task(retries: 1));

        (failed.Error!.Message, failed.Error.Data.ValueKind, failed.HasEnded)
            .Should().Be(("boom", JsonValueKind.Undefined, true));
        var line = host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 224).Which;
        line.Level.Should().Be(LogLevel.Warning);
        line.Text.Should().Contain("data.value");
    }

    [Fact]
    public async Task Data_that_is_too_large_or_cannot_be_stored_is_left_out_with_a_warning()
    {
        foreach (var data in (object[])[new string('x', 9000), "a\0b", Deep(64)])
        {
            await using var host = Throwing(() => new StageFailedException("boom") { Data = data });

            (await host.RunAsync(Task(retries: 0))).Error!.Data.ValueKind.Should().Be(JsonValueKind.Undefined);
            host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 224).Which.Text.Should().Contain("data");
        }
    }

    [Fact]
    public async Task Data_may_fill_an_error_and_the_other_members_make_room_for_it()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("fail", void () => throw new StageFailedException(new string('m', 400))
            {
                Type = "full",
                DataJson = Json.Of($"\"{new string('d', 400)}\""),
            }),
            options => options.Limits = new TaskLimits { MaxErrorBytes = 512 });

        var error = (await host.RunAsync(Task(retries: 0))).Error!;

        error.Data.GetString().Should().HaveLength(400);
        Encoding.UTF8.GetByteCount(error.Json.GetRawText()).Should().BeLessThanOrEqualTo(512);
        error.Message.Should().StartWith("m");
    }

    [Fact]
    public void Invalid_values_are_refused_when_they_are_set()
    {
        FluentActions.Invoking(() => new StageFailedException("x") { RetryAfter = TimeSpan.FromTicks(-1) })
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("RetryAfter is -00:00:00.0000001; it must be*");
        FluentActions.Invoking(() => new StageFailedException("x") { RetryAfter = TimeSpan.FromDays(36_601) })
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("*it must be from 0 to 36600.00:00:00*");
        foreach (var type in (string[])["", "  ", new string('t', 257)])
        {
            FluentActions.Invoking(() => new StageFailedException("x") { Type = type })
                .Should().Throw<ArgumentException>().WithMessage("Type is*it must have 1 to 256*");
        }

        new StageFailedException("x") { RetryAfter = TimeSpan.Zero, Type = new string('t', 256) }.IsFinal
            .Should().BeFalse();
        new StageFailedException(null).Message.Should().Be("The stage failed.");
    }

    [Fact]
    public async Task A_special_command_may_fail_for_good_or_choose_the_time_of_its_retry()
    {
        var error = TaskError.Create("quota", "empty", data: Json.Of("7"));
        await using var host = new TaskTestHost(tasks => tasks
            .AddSpecialCommand(new Failing("_FINAL_", StageOutcome.Failed(error, isFinal: true)))
            .AddSpecialCommand(
                new Failing("_LATER_", StageOutcome.Failed(error, retryAfter: TimeSpan.FromDays(3650)))));

        var final = await host.RunAsync(new TaskDefinition { Id = "f", MaxRetries = 3, Commands = [new("_FINAL_")] });
        var later = await host.RunAsync(new TaskDefinition { Id = "l", MaxRetries = 3, Commands = [new("_LATER_")] });

        (final.HasEnded, final.Error!.Data.GetRawText()).Should().Be((true, "7"));
        later.RetryAt.Should().Be(host.Now + new TaskLimits().MaxWait);
    }

    [Fact]
    public async Task Each_attempt_at_a_stage_is_counted_apart_from_those_at_the_run()
    {
        var seen = new List<(string, int Attempt, int StageAttempt)>();
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("a", (StageContext stage) => See(stage, fails: stage.StageAttempt < 2))
            .AddCommand("b", (StageContext stage) => See(stage, fails: stage.StageAttempt < 3)));

        var done = await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            MaxRetries = 1,
            Commands = [
                new("a") { MaxRetries = 1, RetryDelay = TimeSpan.Zero },
                new("b") { MaxRetries = 1, RetryDelay = TimeSpan.Zero }],
        });

        done.State.Should().Be(TaskState.Finished);
        seen.Should().Equal(("a", 1, 1), ("a", 2, 2), ("b", 2, 1), ("b", 3, 2), ("b", 4, 3));
        (done.Retries, done.Attempt).Should().Be((1, 4), "three of the four retries were paid for by the stages");

        void See(StageContext stage, bool fails)
        {
            seen.Add((stage.Method, stage.Attempt, stage.StageAttempt));
            if (fails)
            {
                throw new InvalidOperationException("not yet");
            }
        }
    }

    [Fact]
    public async Task The_log_knows_the_retries_of_the_stage()
    {
        await using var host = Throwing(() => new IOException("full"));

        await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            Commands = [new("fail") { MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(7) }],
        });

        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 221).Which.Text.Should()
            .Contain("retrying in 00:00:07");
        await host.AdvanceAsync(TimeSpan.FromSeconds(7));
        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 222).Which.Text.Should()
            .Contain("attempt 2 failed at stage 0 (fail), no retries are left: full");
    }

    private static TaskTestHost Throwing(Func<Exception> thrown) =>
        new(tasks => tasks.AddCommand("fail", void () => throw thrown()));

    private static TaskDefinition Task(int retries) =>
        new() { Id = "t", MaxRetries = retries, Commands = [new("fail")] };

    private static JsonElement Deep(int levels) =>
        Json.Of($"{new string('[', levels)}{new string(']', levels)}");

    private sealed class Odd
    {
        private readonly string _reason = "odd";

        public int Value => throw new InvalidOperationException(_reason);
    }

    private sealed class Failing(string method, StageOutcome outcome) : SpecialCommand
    {
        public override string Method => method;

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context, CancellationToken cancellationToken) => ValueTask.FromResult(outcome);
    }
}
