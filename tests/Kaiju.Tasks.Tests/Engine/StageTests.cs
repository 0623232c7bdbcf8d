using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

public sealed class StageTests
{
    [Fact]
    public async Task Later_stages_read_earlier_results_kws_the_id_and_the_executor()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("make", () => new { n = 1.50m, list = new[] { new { id = 1 }, new { id = 2 } } })
                .AddJsonCommand("echo", Echo),
            options => options.ExecutorData["region"] = "eu");

        var done = await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new { city = "Łódź" },
            Commands = [
                new("make"),
                new(
                    "echo",
                    new
                    {
                        a = "[0.n]",
                        b = "[0.list.id]",
                        c = "[!f:{kws-city}!]",
                        d = "[id]",
                        e = "[executor.region]",
                        f = "[executor.app_name]",
                    })],
        });

        done.Result[1].GetRawText().ShouldBeJson(
            """{"a": 1.50, "b": [1, 2], "c": "Łódź!", "d": "t", "e": "eu", "f": "default"}""");
        done.Result[1].GetRawText().Should().Contain("1.50", "numbers keep their spelling");
    }

    [Fact]
    public async Task The_method_itself_may_be_a_template()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("say.hello", () => "hello"));

        var done = await host.RunAsync(
            new TaskDefinition { Kws = new { what = "hello" }, Commands = [new("[!f:say.{kws-what}]")] });

        done.Result.Texts().Should().Equal("\"hello\"");
    }

    [Fact]
    public async Task A_false_condition_skips_the_stage_with_the_result_null()
    {
        var runs = 0;
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("count", () => ++runs));

        var done = await host.RunAsync(new TaskDefinition
        {
            Commands =
            [
                new("count"),
                new("count") { Condition = TaskCondition.Where("0").GreaterThan(5) },
                new TimerCommand(TimeSpan.FromDays(1)) { Condition = TaskCondition.Where("0").EqualTo(7) },
                new("count") { Condition = TaskCondition.Where("1").IsNull() },
            ],
        });

        done.State.Should().Be(TaskState.Finished);
        done.Result.Texts().Should().Equal("1", "null", "null", "2");
    }

    [Fact]
    public async Task A_template_in_a_skipped_command_still_has_to_be_filled()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("count", () => 1));

        var failed = await host.RunAsync(new TaskDefinition
        {
            Commands = [
                new("count"), new("count", new { x = "[0.nope]" }) { Condition = TaskCondition.Where("0").EqualTo(2) }],
        });

        failed.Error!.Kind.Should().Be(TaskErrorKind.Template);
        failed.Error.Message.Should().Contain("params.x").And.Contain("[0.nope]").And.Contain("missing_key");
    }

    [Fact]
    public async Task A_condition_that_cannot_be_evaluated_fails_the_stage()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("count", () => 1));

        var failed = await host.RunAsync(new TaskDefinition
        {
            Commands = [
                new("count"),
                new("count") { Condition = TaskCondition.FromSchema(Json.Of("""{"0": {"agg": {"sum": 1}}}""")) }],
        });

        failed.Should().Match<TaskRecord>(
            task => task.State == TaskState.Failed && task.ExitCode == TaskExitCode.ExecutionError);
        failed.Error!.Kind.Should().Be(TaskErrorKind.Condition);
    }

    [Fact]
    public async Task An_exception_becomes_an_error_with_kind_type_message_and_details()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("fail", void () => throw new InvalidOperationException("the bank is closed")));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("fail")] });

        (failed.State, failed.ExitCode, failed.Stage).Should().Be((TaskState.Failed, TaskExitCode.ExecutionError, 0));
        failed.Error.Should().Match<TaskError>(error =>
            error.Kind == TaskErrorKind.Handler && error.Type == "System.InvalidOperationException"
                && error.Message == "the bank is closed");
        failed.Error!.Details.Should().Contain("the bank is closed").And.Contain(nameof(StageTests));
    }

    [Fact]
    public async Task Details_can_be_left_out_and_an_error_is_bounded()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand(
                "fail", void () => throw new InvalidOperationException(new string('x', 100_000) + "\0\ud800")),
            options => (options.StackTraces, options.Limits) = (false, new TaskLimits { MaxErrorBytes = 1000 }));

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("fail")] });

        failed.Error!.Details.Should().BeNull();
        failed.Error.Json.GetRawText().Length.Should().BeLessThanOrEqualTo(1000);
    }

    [Fact]
    public async Task An_exception_whose_members_throw_still_becomes_an_error()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("lies", void () => throw new Liar(null))
            .AddCommand("throws", void () => throw new Liar(new InvalidOperationException())));

        var lied = await host.RunAsync(new TaskDefinition { Commands = [new("lies")] });
        var thrown = await host.RunAsync(new TaskDefinition { Commands = [new("throws")] });

        (lied.State, lied.Error!.Kind, lied.Error.Message).Should().Be((TaskState.Failed, TaskErrorKind.Handler, ""));
        (thrown.State, thrown.Error!.Kind, thrown.Error.Type).Should().Be(
            (TaskState.Failed, TaskErrorKind.Handler, typeof(Liar).FullName));
    }

    [Fact]
    public async Task The_error_of_an_unknown_command_lists_the_known_ones()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("a", () => 1).AddCommand("b", () => 1),
            options => options.UnknownCommands = UnknownCommands.Fail);

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("c")] });

        failed.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        failed.Error!.Kind.Should().Be(TaskErrorKind.UnknownCommand);
        failed.Error.Message.Should().Be(
            "The command \"c\" is not registered with this executor. Registered commands: a, b.");
    }

    [Theory]
    [InlineData("big", "is 1000002 bytes of JSON; at most 1000000 are allowed.")]
    [InlineData("deep", "is nested deeper than 64 levels.")]
    [InlineData("zero", "contains U+0000")]
    [InlineData("twice", "has the key \"a\" twice in one object.")]
    [InlineData("lone", "lone surrogate")]
    [InlineData("loop", "cycle")]
    public async Task A_result_that_cannot_be_stored_fails_the_stage(string what, string why)
    {
        var loop = new List<object>();
        loop.Add(loop);
        await using var host = new TaskTestHost(
            tasks => tasks
                .AddCommand("big", () => new string('x', 1_000_000))
                .AddCommand(
                    "deep",
                    () => JsonElement.Parse(
                        new string('[', 65) + new string(']', 65), new JsonDocumentOptions { MaxDepth = 100 }))
                .AddCommand("zero", () => "a\0b")
                .AddCommand("twice", () => Json.Of("""{"a": 1, "a": 2}"""))
                .AddCommand("lone", () => new { a = "\ud800" })
                .AddCommand("loop", () => loop),
            options => options.Limits = new TaskLimits { MaxResultBytes = 1_000_000 });

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new(what)] });

        failed.State.Should().Be(TaskState.Failed);
        failed.Error!.Kind.Should().Be(TaskErrorKind.Result);
        failed.Error.Message.Should().Contain(why);
    }

    [Fact]
    public async Task Filled_params_have_the_bound_of_params()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("big", () => new string('x', 700_000)).AddJsonCommand("echo", Echo));

        var failed = await host.RunAsync(
            new TaskDefinition { Commands = [new("big"), new("echo", new { a = "[0]", b = "[0]" })] });

        failed.Error!.Kind.Should().Be(TaskErrorKind.Template);
        failed.Error.Message.Should().Contain("limit_exceeded");
    }

    [Fact]
    public async Task The_context_knows_the_stage_and_its_key_is_the_same_for_every_execution()
    {
        var keys = new List<string>();
        var attempts = new List<int>();
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("first", () => new { total = 5 })
            .AddCommand("look", (StageContext context) =>
            {
                keys.Add(context.IdempotencyKey);
                attempts.Add(context.Attempt);
                context.GetResult<Dictionary<string, int>>(0)!["total"].Should().Be(5);
                context.GetKws<Dictionary<string, string>>()!["name"].Should().Be("box");
                FluentActions.Invoking(() => context.GetResult<int>(1)).Should().Throw<ArgumentOutOfRangeException>();
                return attempts.Count < 3 ? throw new InvalidOperationException("again") : context.Method;
            }));

        var done = await host.RunAsync(
            new TaskDefinition
            {
                Id = "t",
                Kws = new { name = "box" },
                MaxRetries = 2,
                Commands = [new("first"), new("look")],
            });

        done.State.Should().Be(TaskState.Finished);
        keys.Should().Equal(Enumerable.Repeat($"t/{done.JobId}/0/1", 3));
        attempts.Should().Equal(1, 2, 3);
    }

    [Fact]
    public async Task A_handlers_log_lines_have_a_scope_that_names_the_stage()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("log", (StageContext context, ILogger<StageTests> own) =>
        {
            context.Logger.LogInformation("from the context");
            own.LogInformation("from my own");
        }));

        var done = await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("log")] });

        host.Logs.Lines.Where(line => line.Text.StartsWith("from", StringComparison.Ordinal)).Should().HaveCount(2)
            .And.AllSatisfy(line => line.Scopes.Should().Contain($"task t run {done.JobId} stage 0 log"));
    }

    private sealed class Liar(Exception? thrown) : Exception
    {
        public override string Message => thrown is null ? null! : throw thrown;

        public override string ToString() => Message;
    }

    private static ValueTask<JsonElement> Echo(
        JsonElement parameters,
        StageContext context,
        CancellationToken cancellationToken) => ValueTask.FromResult(parameters);
}
