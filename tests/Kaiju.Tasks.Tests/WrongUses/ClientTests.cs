namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>Wrong uses of the client, each with its whole message.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task An_update_whose_function_returns_null_is_refused_and_changes_nothing()
    {
        await using var host = new RunningHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        var refusal = await FluentActions.Awaiting(() => host.Client.UpdateAsync("t", _ => null!)).Should()
            .ThrowAsync<TaskValidationException>();

        refusal.Which.Message.Should().Be(
            "Task \"t\" is invalid: change returned null; it must return a definition, the unchanged one to change "
            + "nothing.");
        refusal.Which.TaskId.Should().Be("t");
        (await host.Client.GetAsync("t"))!.Revision.Should().Be(0);
    }

    [Fact]
    public async Task A_null_among_definitions_or_records_is_refused_alone()
    {
        await using var host = new RunningHost(tasks => tasks.AddCommand("do", () => 1));
        var definition = new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] };

        var created = await host.Client.CreateManyAsync([null!, definition]);
        var imported = await host.Client.ImportAsync(
            [null!, TaskRecord.FromJson("""{"id": "u", "commands": [{"method": "do"}]}""")]);

        foreach (var answers in new[] { created, imported })
        {
            answers.Select(answer => answer.Result).Should().Equal(CreateResult.Invalid, CreateResult.Created);
            answers[0].Faults.Should().Equal("The item is null; it must be a task.");
        }
    }
}
