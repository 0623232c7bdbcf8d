namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Definitions that are certainly wrong, each with its whole message. Cron expressions: CronTextTests; values that are
/// not JSON: JsonValueTests.
/// </summary>
public sealed class DefinitionTests
{
    public static TheoryData<string, TaskDefinition, string> Refused => new()
    {
        { "an empty method", One(
            "") , "commands[0].method is \"\"; it must have 1 to 200 characters, not only blanks." },
        { "a blank method", One(
            "  "), "commands[0].method is \"  \"; it must have 1 to 200 characters, not only blanks." },
        { "a blank id", One() with { Id = "   " }, "id is \"   \"; it must not be blank." },
        { "a blank app", One() with { AppName = " " }, "app_name is \" \"; it must not be blank." },
        { "a blank next task", One() with { NextTask = "\u2003" }, "next_task is \"\u2003\"; it must not be blank." },
        { "a blank group", One() with { Group = " " }, "group is \" \"; it must not be blank." },
        { "a blank group id", One() with { GroupId = " " }, "group_id is \" \"; it must not be blank." },
        { "a blank user", One() with { UserId = " " }, "user_id is \" \"; it must not be blank." },
        {
            "a wait for a message with params", One("_MESSAGE_", new { x = 1 }),
            "commands[0].params is {\"x\":1}; it must be left out: a wait for a message has no params."
        },
        {
            "a timer that is a word", One("_TIMER_", new { timer = "soon" }),
            "commands[0].params.timer is \"soon\"; it must be a number of seconds, more than 0 and at most 31622400."
        },
        {
            "a time zone that is a guess", One() with { Cron = "@daily", CronTimeZone = "Riga" },
            "cron_time_zone is \"Riga\"; it must be a time zone that this machine knows, such as Europe/Riga."
        },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_definition_is_refused_with(string wrongUse, TaskDefinition definition, string message)
    {
        await using var host = new TaskTestHost();

        var refusal = (await host.Client.Awaiting(client => client.CreateAsync(definition)).Should()
            .ThrowAsync<TaskValidationException>(wrongUse)).Which;

        refusal.Faults.Should().Equal(message);
    }

    /// <summary>
    /// Definitions that look wrong but may be intended. Any text is an id, the next task may be created later, and kws
    /// may change until the run begins. A command that this host does not know may be known to its executors.
    /// </summary>
    [Fact]
    public async Task An_unusual_definition_is_accepted()
    {
        await using var host = new TaskTestHost();

        (await host.Client.CreateAsync(One() with { Id = " a b " })).TaskId.Should().Be(" a b ");
        await host.Client.CreateAsync(One() with { NextTask = "not there yet" });
        await host.Client.CreateAsync(One("do", new { x = "[kws.missing]" }));
        await host.Client.CreateAsync(One("_NOPE_"));
        await host.Client.CreateAsync(One("_MESSAGE_", new { }));
    }

    /// <summary>Stored tasks come from other versions, so their names are kept.</summary>
    [Fact]
    public async Task A_stored_task_may_have_blank_names()
    {
        await using var host = new TaskTestHost();

        await host.Client.ImportAsync(
            [TaskRecord.FromJson("""{"id": "  ", "commands": [{"method": "do"}], "group": " "}""")]);

        (await host.GetAsync("  ")).Definition.Group.Should().Be(" ");
    }

    private static TaskDefinition One(string method = "do", object? parameters = null) => new()
    {
        Commands = [parameters is null ? new(method) : new(method, parameters)],
    };
}
