namespace Kaiju.Tasks.Tests;

public sealed class TaskDefinitionBuilderTests
{
    [Fact]
    public void It_writes_the_same_as_the_record()
    {
        var built = TaskDefinitionBuilder.Create("order-42")
            .Run("orders.load", new { id = "[kws.id]" })
            .WaitForMessage(TimeSpan.FromDays(3))
            .Run(
                "billing.charge",
                new { order = "[0]" },
                when: TaskCondition.Where("1.approved").EqualTo(true),
                timeout: TimeSpan.FromSeconds(30))
            .WaitFor(TimeSpan.FromHours(1))
            .Run("orders.ship")
            .Retry(3, TimeSpan.FromSeconds(10), RestartPolicy.First)
            .Every("0 3 * * *", "Europe/Riga")
            .Then("survey")
            .With(task => task with { Kws = new { id = 42 }, Notify = true })
            .Build();

        built.ToJson().Should().Be(new TaskDefinition
        {
            Id = "order-42",
            Kws = new { id = 42 },
            Commands =
            [
                new("orders.load", new { id = "[kws.id]" }),
                new MessageCommand { MaxTimeout = TimeSpan.FromDays(3) },
                new("billing.charge", new { order = "[0]" })
                {
                    Condition = TaskCondition.Where("1.approved").EqualTo(true),
                    MaxTimeout = TimeSpan.FromSeconds(30),
                },
                new TimerCommand(TimeSpan.FromHours(1)),
                new("orders.ship"),
            ],
            MaxRetries = 3,
            RetryDelay = TimeSpan.FromSeconds(10),
            RestartPolicy = RestartPolicy.First,
            Cron = "0 3 * * *",
            CronTimeZone = "Europe/Riga",
            NextTask = "survey",
            Notify = true,
        }.ToJson());
    }
}
