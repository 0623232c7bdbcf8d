using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Tests.Commands;

/// <summary>A handler may return an outcome instead of its result.</summary>
public sealed partial class OutcomeTests
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);
    private static readonly StageOutcome _failed = StageOutcome.Failed(TaskError.Create("busy", "It is busy."));

    public static TheoryData<string, Delegate> Snoozing => new()
    {
        { "an outcome", () => StageOutcome.Snooze(_minute) },
        { "a task of an outcome", () => Task.FromResult(StageOutcome.Snooze(_minute)) },
        { "a value task of an outcome", () => new ValueTask<StageOutcome>(StageOutcome.Snooze(_minute)) },
        { "an outcome declared as an object", object () => StageOutcome.Snooze(_minute) },
        { "a typed outcome", StageOutcome<Receipt> () => StageOutcome.Snooze(_minute) },
        { "a typed outcome declared as an object", object () => (StageOutcome<Receipt>)StageOutcome.Snooze(_minute) },
        { "a task of a typed outcome", async Task<StageOutcome<Receipt>> () =>
        {
            await Task.Yield();
            return StageOutcome.Snooze(_minute);
        } },
        { "a value task of a typed outcome", () => new ValueTask<StageOutcome<int>>(StageOutcome.Snooze(_minute)) },
    };

    public static TheoryData<string, Delegate, string> Completing => new()
    {
        { "an outcome", () => StageOutcome.Completed(Json.Of("""{"number":7}""")), """{"number":7}""" },
        { "an outcome without a result", () => StageOutcome.Completed(), "null" },
        { "a typed outcome", StageOutcome<Receipt> () => new Receipt(7), """{"number":7}""" },
        { "a typed outcome that is null", StageOutcome<Receipt> () => (Receipt?)null, "null" },
        { "a typed outcome of a value", StageOutcome<int> () => 7, "7" },
        { "an interface", () => StageOutcome.Completed<IReceipt>(new Receipt(7)), """{"number":7}""" },
        { "a task of a typed outcome", async Task<StageOutcome<Receipt>> () =>
        {
            await Task.Yield();
            return new Receipt(7);
        }, """{"number":7}""" },
    };

    [Theory]
    [MemberData(nameof(Snoozing))]
    public async Task A_handler_that_returns_a_snooze_begins_again_after_it(string what, Delegate handler)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", handler));

        var snoozed = await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("do"), new("do")] });

        (snoozed.State, snoozed.Wait, snoozed.Stage).Should().Be((TaskState.Waiting, WaitKind.Snooze, 0), what);
        snoozed.WaitDeadline.Should().Be(TaskTestHost.Start + _minute);
        host.Executor.IsRunning.Should().BeFalse();
        await host.AdvanceAsync(_minute);
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.Wait == WaitKind.Snooze && task.Snoozes == 2 && task.Attempt == 1 && task.Stage == 0, what);
    }

    [Theory]
    [MemberData(nameof(Completing))]
    public async Task A_handler_that_returns_a_completed_outcome_has_its_result(
        string what, Delegate handler, string result)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", handler));

        var done = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        (done.State, done.Result.Texts().Single()).Should().Be((TaskState.Finished, result), what);
    }

    [Fact]
    public async Task A_handler_may_snooze_until_its_work_is_possible()
    {
        var calls = 0;
        await using var host = new TaskTestHost(tasks => tasks.AddCommand(
            "do", StageOutcome<int> () => ++calls < 3 ? StageOutcome.Snooze(_minute) : calls));
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        await host.AdvanceAsync(_minute);
        await host.AdvanceAsync(_minute);

        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Finished && task.Snoozes == 2 && task.Retries == 0);
        (await host.Client.GetStagesAsync("t")).Should().ContainSingle("a snooze is not an entry of the history");
    }

    [Fact]
    public async Task A_handler_may_return_a_failure()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => _failed));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do")], MaxRetries = 1 });

        (failed.State, failed.Error!.Kind, failed.Attempt).Should().Be((TaskState.Failed, "busy", 2));
    }

    [Fact]
    public async Task A_handler_may_park_its_task_until_a_message_comes()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => StageOutcome.WaitForMessage(_minute)));
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        (await host.Client.SendMessageAsync("t", Json.Of("5"))).Should().BeTrue();

        (await host.GetAsync("t")).Result.Texts().Should().Equal("5");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(40_000)]
    public async Task A_snooze_of_an_invalid_length_fails_the_stage(int days)
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => StageOutcome.Snooze(TimeSpan.FromDays(days))));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        failed.Error!.Kind.Should().Be(TaskErrorKind.Params);
        failed.Error.Message.Should().Contain("do asks to wait for").And.Contain("must be more than 0 and at most");
    }

    public static TheoryData<Delegate> WithoutOutcome => [
        StageOutcome? () => null, StageOutcome<int>? () => null, () => Task.FromResult<StageOutcome?>(null)];

    [Theory]
    [MemberData(nameof(WithoutOutcome))]
    public async Task A_handler_that_returns_no_outcome_fails_the_stage(Delegate handler)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", handler));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        failed.Error!.Message.Should().Contain("its handler returned no outcome");
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\0")]
    public async Task A_handler_that_puts_its_task_back_under_an_invalid_name_fails_the_stage(string method)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => StageOutcome.PutBack(method)));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        (failed.State, failed.Error!.Kind).Should().Be((TaskState.Failed, TaskErrorKind.UnknownCommand));
        failed.Error.Message.Should().StartWith("do puts its task back under a name that");
    }

    [Fact]
    public void A_null_does_not_convert_to_an_outcome()
    {
        var convert = () => (StageOutcome<int>)(StageOutcome)null!;

        convert.Should().Throw<ArgumentNullException>();
    }

    [Fact]
    public async Task A_result_in_an_outcome_is_checked_like_any_other()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", StageOutcome<string> () => new string('a', 100)),
            options => options.Limits = new TaskLimits { MaxResultBytes = 50 });

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        failed.Error!.Kind.Should().Be(TaskErrorKind.Result);
    }

    [Fact]
    public async Task A_typed_outcome_that_cannot_be_written_is_refused_at_start()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", StageOutcome<Action> () => (Action)(() => { })));

        var start = () => host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        (await start.Should().ThrowAsync<Exception>()).Which.Message.Should().Contain("cannot be written as JSON");
    }

    [Fact]
    public async Task Commands_with_generated_contracts_may_return_outcomes()
    {
        var calls = 0;
        await using var host = new TaskTestHost(tasks => tasks
            .AddJsonCommand("typed", (Receipt order, StageContext _, CancellationToken _) =>
                new ValueTask<StageOutcome<Receipt>>(++calls == 1 ? StageOutcome.Snooze(_minute) : order),
                OutcomeJson.Default.Receipt,
                OutcomeJson.Default.Receipt)
            .AddJsonCommand("json", (JsonElement _, StageContext _, CancellationToken _) =>
                new ValueTask<StageOutcome>(++calls == 3 ? StageOutcome.Snooze(_minute) : StageOutcome.Completed())));
        await host.RunAsync(
            new TaskDefinition { Id = "t", Commands = [new("typed", new { number = 7 }), new("json")] });

        await host.AdvanceAsync(_minute);
        await host.AdvanceAsync(_minute);

        var done = await host.GetAsync("t");
        (done.State, done.Snoozes).Should().Be((TaskState.Finished, 2));
        done.Result.Texts().Should().Equal("""{"number":7}""", "null");
    }

    [Fact]
    public async Task Middleware_sees_and_replaces_outcomes()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddStageMiddleware<NeverSnoozes>().AddCommand("do", () => StageOutcome.Snooze(_minute)));

        var done = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });

        done.Result.Texts().Should().Equal("\"00:01:00\"");
    }

    [Fact]
    public void Tests_of_handlers_read_the_outcome()
    {
        StageOutcome<Receipt> done = new Receipt(7);
        StageOutcome<Receipt> snoozed = StageOutcome.Snooze(_minute);

        (done.Result, done.Outcome, done.ToString()).Should().Be((new Receipt(7), null, "Completed"));
        snoozed.Outcome.Should().BeOfType<StageOutcome.Wait>().Which.Duration.Should().Be(_minute);
        snoozed.ToString().Should().Be("Waiting");
    }

    public interface IReceipt
    {
        int Number { get; }
    }

    public sealed record Receipt(int Number) : IReceipt;

    private sealed class NeverSnoozes : IStageMiddleware
    {
        public async ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken) =>
            await next(parameters, cancellationToken) is StageOutcome.Wait { Duration: { } duration }
                ? StageOutcome.Completed(JsonElement.Parse($"\"{duration}\""))
                : StageOutcome.Completed();
    }

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(Receipt))]
    private sealed partial class OutcomeJson : JsonSerializerContext;
}
