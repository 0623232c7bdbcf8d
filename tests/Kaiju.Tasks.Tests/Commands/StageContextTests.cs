using System.Text.Json;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class StageContextTests
{
    [Fact]
    public void A_test_of_a_handler_can_construct_a_stage_context()
    {
        var context = new StageContext
        {
            TaskId = "order-42",
            Method = "orders.ship",
            Stage = 1,
            Results = [Json.Of("""{"total": 7}""")],
            Kws = Json.Of("""{"limit": 5}"""),
            Meta = Json.Of("""{"source": "web"}"""),
        };

        context.GetResult<Dictionary<string, int>>(0)!["total"].Should().Be(7);
        context.GetKws<Dictionary<string, int>>()!["limit"].Should().Be(5);
        context.GetMeta<Dictionary<string, string>>()!["source"].Should().Be("web");
        context.IdempotencyKey.Should().Be("order-42/job/0/1");
        (context.AppName, context.Attempt, context.Stages).Should().Be(("default", 1, 1));
        context.Logger.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Critical).Should().BeFalse();
        context.Invoking(stage => stage.GetResult<int>(1)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public async Task A_handler_finds_metadata_beside_kws_and_the_members_of_its_task()
    {
        StageContext? seen = null;
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("see", (StageContext stage) =>
        {
            seen = stage;
        }));

        var task = await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            AppName = "default",
            MaxRetries = 2,
            Kws = new { a = 1 },
            Meta = new { b = 2 },
            Commands = [new("see"), new("see")],
        });

        seen!.Meta.GetRawText().Should().Be("""{"b":2}""");
        seen.Kws.GetRawText().Should().Be("""{"a":1}""");
        (seen.TaskId, seen.JobId, seen.Stage, seen.Stages, seen.MaxRetries, seen.ExecutorId, seen.Method).Should().Be(
            ("t", task.JobId, 1, 2, 2, host.Executor.Info.Id, "see"));
        seen.SerializerOptions.Should().BeSameAs(host.Options.SerializerOptions);
    }

    [Fact]
    public async Task A_task_without_metadata_has_an_empty_object()
    {
        JsonElement meta = default;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("see", (StageContext stage) => { meta = stage.Meta; }));

        await host.RunAsync(new TaskDefinition { Commands = [new("see")] });

        meta.GetRawText().Should().Be("{}");
    }
}
