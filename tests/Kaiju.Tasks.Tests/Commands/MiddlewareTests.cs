using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class MiddlewareTests
{
    private static readonly List<string> _calls = [];

    [Fact]
    public async Task The_first_middleware_added_is_the_outermost()
    {
        _calls.Clear();
        await using var host = new TaskTestHost(tasks => tasks
            .AddStageMiddleware<Outer>()
            .AddStageMiddleware<Inner>()
            .AddCommand("do", (int id, Scoped scoped) => _calls.Add($"handler {id} {scoped.Seen}"))
            .Services.AddScoped<Scoped>());

        var done = await host.RunAsync(new TaskDefinition
        {
            Commands = [
                new("do", new { id = 1 }),
                new("do", new { id = 2 }) { Condition = TaskCondition.Where("0").IsNull() },
                new TimerCommand(TimeSpan.FromSeconds(1))],
        });

        _calls.Should().Equal("outer do", "inner", "handler 7 True", "inner done", "outer done");
        done.Result.Texts().Should().Equal("\"changed\"", "null");
    }

    [Fact]
    public async Task An_exception_of_a_middleware_fails_the_stage()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddStageMiddleware<Refusing>().AddCommand("do", () => 1));

        (await host.RunAsync(new TaskDefinition { Commands = [new("do")] })).Error!.Message.Should().Be("not today");
    }

    private sealed class Scoped
    {
        public bool Seen { get; set; }
    }

    private sealed class Outer(Scoped scoped) : IStageMiddleware
    {
        public async ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken)
        {
            scoped.Seen = true;
            _calls.Add($"outer {context.Method}");
            await next(JsonElement.Parse("""{"id": 7}"""), cancellationToken);
            _calls.Add("outer done");
            return StageOutcome.Completed(JsonElement.Parse("\"changed\""));
        }
    }

    private sealed class Inner : IStageMiddleware
    {
        public async ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken)
        {
            _calls.Add("inner");
            var result = await next(parameters, cancellationToken);
            _calls.Add("inner done");
            return result;
        }
    }

    private sealed class Refusing : IStageMiddleware
    {
        public ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("not today");
    }
}
