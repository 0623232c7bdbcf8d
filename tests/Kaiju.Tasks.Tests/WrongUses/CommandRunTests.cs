using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Commands that fail while their task runs: the stored error names command, place and kind, and never a value.
/// </summary>
public sealed class CommandRunTests
{
    private const string Secret = "s3cret";

    public enum Size
    {
        Small,
        Large,
    }

    public sealed record Address(string City, string? Street);

    public sealed record Order(
        int Id, Address Address, List<Address>? More = null, Dictionary<string, Size>? Sizes = null)
    {
        public string Name { get; init; } = "";
    }

    public sealed class Svc;

    [JsonDerivedType(typeof(Circle), "circle")]
    public abstract record Shape;

    public sealed record Circle : Shape;

    public static TheoryData<string, Action<KaijuTasksBuilder>, string?, string, string> Failing => new()
    {
        {
            "unregistered class as parameter",
            tasks => tasks.AddCommand("do", (Svc s) => { }),
            """{"a": 1, "b": 2}""", "params",
            "The parameter \"s\" of the command \"do\" is neither a member of the params (they have: a, b) nor a "
                + "registered service (Svc)."
        },
        {
            "unregistered class as parameter, no params",
            tasks => tasks.AddCommand("do", (Svc s) => { }),
            null, "params",
            "The parameter \"s\" of the command \"do\" is neither a member of the params (they have none) nor a "
                + "registered service (Svc)."
        },
        {
            "many members and a long one",
            tasks => tasks.AddCommand("do", (string name) => { }),
            $"{{\"{new string('x', 60)}\": 1, "
                + $"{string.Join(", ", Enumerable.Range(0, 11).Select(i => $"\"m{i}\": 1"))}}}",
            "params",
            $"The parameter \"name\" of the command \"do\" is not a member of the params (they have: "
                + $"{new string('x', 50)}…, m0, m1, m2, m3, m4, m5, m6, m7, m8 and 2 more)."
        },
        {
            "[Params] record missing members",
            tasks => tasks.AddCommand("do", ([Params] Order order) => order.Address.City.Length),
            """{"name": "x"}""", "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params lacks \"id\", \"address\", which "
                + "an Order must have."
        },
        {
            "[Params] record, nothing given",
            tasks => tasks.AddCommand<Order>("do", (Order order) => order.Address.City.Length),
            null, "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params lacks \"id\", \"address\", which "
                + "an Order must have."
        },
        {
            "[Params] record missing a member of a member",
            tasks => tasks.AddCommand("do", ([Params] Order order) => order.Address.City.Length),
            """{"id": 1, "address": {"street": "x"}}""", "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params.address lacks \"city\", which an "
                + "Address must have."
        },
        {
            "null in a record's member that may not be null",
            tasks => tasks.AddCommand("do", ([Params] Order order) => order.Address.City.Length),
            """{"id": 1, "address": {"city": null}}""", "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params.address.city is null; it must be a "
                + "String."
        },
        {
            "null in a property that may not be null",
            tasks => tasks.AddCommand("do", (Order order) => order.Name.Length),
            """{"order": {"id": 1, "address": {"city": "x"}, "NAME": null}}""", "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params.order.NAME is null; it must be a "
                + "String."
        },
        {
            "value of another kind, deep",
            tasks => tasks.AddCommand("do", (Order order) => order.Name.Length),
            $$$"""
            {"order": {"id": 1, "address": {"city": "x"}, "more": [{"city": "x"}, {"city": ["{{{Secret}}}"]}]}}
            """,
            "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params.order.more[1].city is a list of 1 "
                + "entry; it must be a String."
        },
        {
            "value of another kind under a key with signs",
            tasks => tasks.AddCommand("do", (Order order) => order.Name.Length),
            $$$$"""
            {"order": {"id": 1, "address": {"city": "x"}, "sizes": {"it's.a b": 1, "c'd]": "{{{{Secret}}}}"}}}
            """,
            "params",
            "The parameter \"order\" of the command \"do\" cannot be bound: params.order.sizes['c'd]'] is a text of 6 "
                + "characters; it must be a Size."
        },
        {
            "value of another kind beside a key that begins as its own",
            tasks => tasks.AddCommand("do", (Dictionary<string, Size> sizes) => sizes.Count),
            $$$"""{"sizes": {"ab": "{{{Secret}}}", "a": 1}}""", "params",
            "The parameter \"sizes\" of the command \"do\" cannot be bound: params.sizes.ab is a text of 6 "
                + "characters; it must be a Size."
        },
        {
            "value that is not a date",
            tasks => tasks.AddCommand("do", (DateTimeOffset? at) => at),
            $$$"""{"at": "{{{Secret}}}"}""", "params",
            "The parameter \"at\" of the command \"do\" cannot be bound: params.at is a text of 6 characters; it must "
                + "be a DateTimeOffset."
        },
        {
            "object instead of a number",
            tasks => tasks.AddCommand("do", (int id) => id),
            """{"id": {"a": 1, "b": true}}""", "params",
            "The parameter \"id\" of the command \"do\" cannot be bound: params.id is an object of 2 members; it must "
                + "be an Int32."
        },
        {
            "boolean instead of a list",
            tasks => tasks.AddCommand("do", (List<int> ids) => ids),
            """{"ids": true}""", "params",
            "The parameter \"ids\" of the command \"do\" cannot be bound: params.ids is a boolean; it must be a "
                + "List<Int32>."
        },
        {
            "unknown discriminator",
            tasks => tasks.AddCommand("do", (Shape shape) => 1),
            $$$"""{"shape": {"$type": "{{{Secret}}}"}}""", "params",
            "The parameter \"shape\" of the command \"do\" cannot be bound: params.shape is an object of 1 member; it "
                + "must be a Shape."
        },
        {
            "params of a typed JSON command",
            tasks => tasks.AddJsonCommand(
                "do",
                (order, _, _) => ValueTask.FromResult(order),
                CommandRunJson.Default.Address,
                CommandRunJson.Default.Address),
            $$$"""{"City": 5, "Street": "{{{Secret}}}"}""", "params",
            "The params of the command \"do\" cannot be read: params.City is a whole number of 1 digit; it must be a "
                + "String."
        },
        {
            "timer that a template fills with text",
            tasks => tasks.AddCommand("x", () => 1),
            "timer", "params",
            "_TIMER_: params.timer is a text of 6 characters; it must be a number of seconds, more than 0 and at most "
                + "31622400."
        },
        {
            "null Task",
            tasks => tasks.AddCommand("do", Task () => null!, "Program.cs", 7),
            null, "handler",
            "The command \"do\" of Program.cs:7: its handler returned null instead of a Task."
        },
        {
            "null Task of a value",
            tasks => tasks.AddCommand("do", Task<int> () => null!, "Program.cs", 7),
            null, "handler",
            "The command \"do\" of Program.cs:7: its handler returned null instead of a Task."
        },
    };

    [Theory]
    [MemberData(nameof(Failing))]
    public async Task The_stage_fails(
        string wrongUse, Action<KaijuTasksBuilder> build, string? parameters, string kind, string message)
    {
        await using var host = new TaskTestHost(build);

        var failed = await host.RunAsync(parameters == "timer"
            ? new TaskDefinition { Kws = new { delay = Secret }, Commands = [new TimerCommand("[kws.delay]")] }
            : new TaskDefinition { Commands = [parameters is null ? new("do") : new("do", Json.Of(parameters))] });

        (failed.State, failed.ExitCode).Should().Be((TaskState.Failed, TaskExitCode.ExecutionError), wrongUse);
        failed.Error!.Kind.Should().Be(kind, wrongUse);
        failed.Error.Message.Should().Be(message, wrongUse);
        failed.Error.Json.GetRawText().Should().NotContain(Secret, wrongUse);
        host.Logs.Lines.Should().NotContain(
            line => $"{line.Text}{line.Scopes}{line.Exception}".Contains(Secret), wrongUse);
    }

    public static TheoryData<TaskCommand, string> Filled => new()
    {
        { new(
            "do",
            new { a = "[!x:int:[kws.s]]" }),
            "params.a: \"[!x:int:[kws.s]]\": value_error: int: a text of 6 characters is not a whole number." },
        {
            new("do", new { a = "[!x:date:[kws.s]]" }),
            "params.a: \"[!x:date:[kws.s]]\": value_error: date: a text of 6 characters is not a date such as "
                + "2024-05-06."
        },
        {
            new("do", new { a = "[!x:datetime:[kws.s]]" }),
            "params.a: \"[!x:datetime:[kws.s]]\": value_error: datetime: a text of 6 characters is not a time such as "
                + "2024-05-06T07:08:09+02:00."
        },
        {
            new("do", new { a = "[!e:[kws.s]]" }),
            "params.a: \"[!e:[kws.s]]\": literal_error: a text of 6 characters is not a literal. Text needs quotes, "
                + "arrays and objects need backquotes around them."
        },
        {
            new("do")
            {
                Condition = TaskCondition.FromJson(Json.Of("""{"schema": {"kws.s": {"has": 1, "eq": "[kws.s]"}}}""")),
            },
            "condition.schema[\"kws.s\"] (an object of 2 members): type_error: a text can only contain text, not a "
                + "number."
        },
        {
            new("do") { Condition = TaskCondition.FromJson(Json.Of("""{"schema": "[kws.s]"}""")) },
            "condition.schema (a text of 6 characters): invalid_condition: a schema is an object of tests, such as "
                + "{\"0.total\": {\"gt\": 5}}, or an array of alternatives."
        },
        { new(
            "nul"),
            "The result of \"nul\" is invalid: result is a text of 7 characters, which contains U+0000 and cannot be "
                + "stored." },
    };

    [Theory]
    [MemberData(nameof(Filled))]
    public async Task The_error_of_a_template_a_condition_or_a_result_shows_no_value(
        TaskCommand command, string message)
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => 1).AddCommand("nul", () => $"{Secret}\0"));

        var failed = await host.RunAsync(new TaskDefinition { Kws = new { s = Secret, n = 5 }, Commands = [command] });

        failed.Error!.Message.Should().Be(message);
        failed.Error.Json.GetRawText().Should().NotContain(Secret);
    }

    [Fact]
    public async Task A_nullable_member_may_be_missing_from_a_record()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand(
                "do", ([Params] Address address, string? street) => $"{address.City} {address.Street is null}"));

        (await host.RunAsync(new TaskDefinition { Commands = [new("do", new { city = "Riga" })] })).Result.Texts()
            .Should().Equal("\"Riga True\"");
    }

    [Fact]
    public async Task A_class_with_getters_alone_is_read_through_its_constructor()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", ([Params] OnlyGets given) => given.Id));

        (await host.RunAsync(new TaskDefinition { Commands = [new("do", new { id = 5 })] })).Result.Texts()
            .Should().Equal("5");
        (await host.RunAsync(new TaskDefinition { Commands = [new("do", new { ID = 5 })] })).Result.Texts()
            .Should().Equal("5");
        (await host.RunAsync(
            new TaskDefinition
            {
                Commands = [new("do", new { idx = 5 })],
            })).Error!.Message.Should().EndWith("params lacks \"id\", which an OnlyGets must have.");
    }

    [Fact]
    public async Task Results_and_kws_are_read_with_the_hosts_options()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("first", () => new { street = "x" })
            .AddCommand(
                "do",
                (StageContext context) =>
                    context.GetResult<Address>(0)!.City is null && context.GetKws<Address>()!.City is null));

        (await host.RunAsync(new TaskDefinition { Commands = [new("first"), new("do")] })).Result[1].GetRawText()
            .Should().Be("true");
    }

    [Fact]
    public async Task A_container_without_logging_and_without_a_host_creates_tasks()
    {
        await using var services = new ServiceCollection().AddKaijuTasks().Services.BuildServiceProvider();

        (await services.GetRequiredService<ITaskClient>()
            .CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] })).Result
            .Should()
            .Be(CreateResult.Created);
    }

    [Fact]
    public async Task A_container_without_logging_runs_tasks()
    {
        await using var services = new ServiceCollection().AddKaijuTasks().AddCommand(
            "do", (ILogger<Svc> logger, StageContext context) =>
        {
            context.Logger.LogInformation("nothing hears this");
            return logger.IsEnabled(LogLevel.Critical);
        }).Services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true, ValidateOnBuild = true });
        var running = HostedServices.Start(services);
        var client = services.GetRequiredService<ITaskClient>();
        var created = await client.CreateAsync(new TaskDefinition { Commands = [new("do")] });

        (await client.WaitAsync(created.TaskId).Soon()).Result.Texts().Should().Equal("false");

        await HostedServices.StopAsync(running);
    }

    [Fact]
    public async Task Logging_that_is_added_later_is_used()
    {
        using var logs = new RecordedLogs();
        await using var services = new ServiceCollection().AddKaijuTasks().Services
            .AddLogging(logging => logging.AddProvider(logs)).BuildServiceProvider();

        services.GetRequiredService<ILogger<Svc>>().LogInformation("heard");

        logs.Lines.Should().ContainSingle().Which.Should()
            .Match<RecordedLogs.Line>(line => line.Category.EndsWith("CommandRunTests.Svc") && line.Text == "heard");
    }

    public sealed class OnlyGets(int id)
    {
        public int Id { get; } = id;
    }
}

[JsonSerializable(typeof(CommandRunTests.Address))]
internal sealed partial class CommandRunJson : JsonSerializerContext;
