namespace Kaiju.Tasks.Tests.Client;

/// <summary>
/// An imported task may have a definition that waits for its next run; it is checked like the other one.
/// </summary>
public sealed class ImportedWaitingTests
{
    private static readonly TaskDefinition _definition = new()
    {
        Id = "t",
        AppName = "default",
        Cron = "* * * * *",
        Commands = [new("do")],
    };

    [Fact]
    public async Task An_invalid_waiting_definition_refuses_the_import()
    {
        await using var host = new TaskTestHost();

        var imported = await host.Client.ImportAsync([Record(_definition with { Commands = [], Cron = "never" })]);

        imported[0].Result.Should().Be(CreateResult.Invalid);
        imported[0].Faults.Should().Contain(fault => fault.StartsWith("waiting.commands", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_waiting_definition_is_completed_and_has_the_tasks_id()
    {
        await using var host = new TaskTestHost();

        await host.Client.ImportAsync([Record(new() { Id = "other", Commands = [new("new")] })]);

        var waiting = (await host.GetAsync("t")).Waiting!;
        (waiting.Id, waiting.MaxRetries, waiting.MaxExecTimeout).Should()
            .Be(("t", 0, new TaskLimits().DefaultExecTimeout));
    }

    private static TaskRecord Record(TaskDefinition waiting) => new()
    {
        Definition = _definition,
        Managed = new ManagedState
        {
            JobId = "j",
            ResultRun = "j",
            NextRun = TaskTestHost.Start.AddMinutes(1),
            StatusChange = TaskTestHost.Start,
        },
        Created = TaskTestHost.Start,
        Waiting = waiting,
    };
}
