namespace Kaiju.Tasks.Tests.Engine;

/// <summary>The README's example: stages, a template, a message, a condition, a timer, a retry and a result.</summary>
public sealed class FirstLightTests
{
    [Fact]
    public async Task A_task_lives_through_stages_a_message_a_condition_a_timer_and_a_retry_to_its_end()
    {
        var charges = 0;
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("orders.load", (int id) => new { id, total = 12.50m })
            .AddCommand("billing.charge", (decimal amount, string card) =>
                ++charges == 1 ? throw new InvalidOperationException("the bank is closed") : $"{card} pays {amount}")
            .AddCommand("orders.gift", () => "a gift")
            .AddCommand("orders.ship", (string payment, bool express) => new { payment, express }));
        await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "order-42",
            Kws = new { id = 42 },
            Commands =
            [
                new("orders.load", new { id = "[kws.id]" }),
                new MessageCommand { MaxTimeout = TimeSpan.FromDays(3) },
                new("billing.charge", new { amount = "[0.total]", card = "[1.card]" })
                {
                    Condition = TaskCondition.Where("0.total").GreaterThan(0),
                },
                new TimerCommand(TimeSpan.FromHours(1)),
                new("orders.gift") { Condition = TaskCondition.Where("0.total").GreaterThan(100) },
                new("orders.ship", new { payment = "[2]", express = "[1.express:false]" }),
            ],
            MaxRetries = 3,
        });

        await host.RunUntilIdleAsync();
        (await host.GetAsync("order-42")).State.Should().Be(TaskState.Waiting, "no message was sent yet");

        (await host.Client.SendMessageAsync("order-42", new { card = "visa", express = true })).Should().BeTrue();
        await host.RunUntilIdleAsync();
        var parked = await host.GetAsync("order-42");
        parked.State.Should().Be(TaskState.Waiting, "the timer runs");
        parked.Stage.Should().Be(3);
        parked.Retries.Should().Be(1, "the bank was closed once");

        await host.AdvanceAsync(TimeSpan.FromHours(1));
        var done = await host.GetAsync("order-42");
        done.State.Should().Be(TaskState.Finished);
        done.ExitCode.Should().Be(TaskExitCode.Success);
        done.Error.Should().BeNull();
        done.Result.Select(result => result.GetRawText()).Should().Equal(
            """{"id":42,"total":12.50}""",
            """{"card":"visa","express":true}""",
            "\"visa pays 12.50\"",
            "null",
            "null",
            """{"payment":"visa pays 12.50","express":true}""");
        charges.Should().Be(2);
    }
}
