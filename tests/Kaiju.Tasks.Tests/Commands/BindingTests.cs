using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Commands;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class BindingTests
{
    public sealed record Order(int Id, string City, decimal? Total = null);

    public sealed class Orders
    {
        public string Name { get; } = "orders";
    }

    private enum Speed
    {
        Slow,
        Fast,
    }

    [Fact]
    public async Task Members_bind_to_parameters_by_name() =>
        Json.Of(
            await CallAsync(
                (
                    int id,
                    string name,
                    decimal price,
                    Speed speed,
                    DateTimeOffset at,
                    int[] items,
                    Order order,
                    JsonElement raw) =>
                $"{id} {name} {price} {speed} {at:yyyy} {items.Length} {order.City} {raw}",
            """
            {"id": 7, "name": "box", "price": 1.50, "speed": 1, "at": "2024-06-15T12:00:00Z", "items": [1, 2],
            "order": {"id": 1, "city": "Łódź"}, "raw": {"a": 1.0}}
            """))
        .GetString().Should().Be("7 box 1.50 Fast 2024 2 Łódź {\"a\": 1.0}");

    [Theory]
    [InlineData("""{"userName": "ann"}""")]
    [InlineData("""{"username": "ann"}""")]
    [InlineData("""{"USERNAME": "ann"}""")]
    public async Task Member_names_are_those_of_the_web_defaults(string parameters) =>
        (await CallAsync((string userName) => userName, parameters)).Should().Be("\"ann\"");

    [Fact]
    public async Task The_serializers_naming_policy_is_an_option() =>
        (await CallAsync(
            (string userName) => new { GreatName = userName },
            """{"user_name": "ann"}""",
            options => options.SerializerOptions = new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            }))
        .Should().Be("""{"great_name":"ann"}""");

    [Fact]
    public async Task A_missing_member_takes_its_default_or_null() =>
        (await CallAsync(
            (string? name, int? size, bool express = true, string mode = "fast", DayOfWeek? day = DayOfWeek.Friday) =>
                $"{name is null} {size is null} {express} {mode} {day}",
            "{}"))
        .Should().Be("\"True True True fast Friday\"");

    [Fact]
    public async Task Missing_params_are_the_same_as_an_empty_object() =>
        (await CallAsync((string? name) => name ?? "nobody", null)).Should().Be("\"nobody\"");

    [Fact]
    public async Task Members_without_a_parameter_are_ignored() =>
        (await CallAsync((int id) => id, """{"id": 1, "more": [1]}""")).Should().Be("1");

    [Fact]
    public async Task The_stage_the_token_services_and_the_clock_bind_by_type() =>
        (await CallAsync(
            (
                Orders orders,
                StageContext context,
                CancellationToken token,
                IServiceProvider services,
                TimeProvider clock,
                IEnumerable<Orders> all,
                int id) =>
                $"{orders.Name} {context.Method} {token.CanBeCanceled} {services.GetService<Orders>() == orders} "
                    + $"{clock.GetUtcNow():yyyy} {all.Count()} {id}",
            """{"id": 1}"""))
        .Should().Be("\"orders do True True 2024 1 1\"");

    [Fact]
    public async Task A_list_of_numbers_is_not_a_service() =>
        (await CallAsync(
            (IEnumerable<int> ids, IReadOnlyList<string> names) => ids.Sum() + names.Count,
            """{"ids": [1, 2], "names": ["a"]}""")).Should().Be("4");

    [Fact]
    public async Task A_parameter_may_take_the_params_as_a_whole()
    {
        (await CallAsync(
            ([Params] Order order, Orders orders) => $"{order.City} {orders.Name}",
            """{"id": 1, "city": "Riga"}""")).Should().Be("\"Riga orders\"");
        (await CallAsync(([Params] int[] numbers) => numbers.Sum(), "[1, 2, 3]")).Should().Be("6");
        (await CallAsync(([Params] JsonElement all) => all, """{"a": 1.50}""")).Should().Be("""{"a": 1.50}""");
        (await CallAsync(([Params] Order? order) => order is null, null)).Should().Be("true");
    }

    [Fact]
    public async Task A_named_type_takes_the_params_as_a_whole()
    {
        await using var host = new TaskTestHost(
            tasks =>
                tasks.AddCommand<Order>("do", (Order order, StageContext context) => $"{order.Id} {context.Stage}"));

        (await host.RunAsync(new TaskDefinition { Commands = [new("do", new Order(5, "Riga"))] })).Result.Texts()
            .Should().Equal("\"5 0\"");
    }

    [Theory]
    [InlineData("{}", "The parameter \"id\" of the command \"do\" is not a member of the params (they have none).")]
    [InlineData(
        """{"ids": 1, "b": 2}""",
        "The parameter \"id\" of the command \"do\" is not a member of the params (they have: ids, b).")]
    [InlineData(
        """{"id": "abc"}""",
        "The parameter \"id\" of the command \"do\" cannot be bound: params.id is a text of 3 characters; it must be "
            + "an Int32.")]
    [InlineData(
        """{"id": null}""",
        "The parameter \"id\" of the command \"do\" cannot be bound: params.id is null; it must be an Int32.")]
    [InlineData(
        """{"ID": 2.5}""",
        "The parameter \"id\" of the command \"do\" cannot be bound: params.id is a decimal number; it must be an "
            + "Int32.")]
    [InlineData(
        """{"id": -123456789012}""",
        "The parameter \"id\" of the command \"do\" cannot be bound: params.id is a whole number of 12 digits; it "
            + "must be an Int32.")]
    [InlineData(
        "[1]",
        "The parameter \"id\" of the command \"do\" cannot be bound: params is a list of 1 entry; "
        + "it must be an object.")]
    public async Task A_parameter_that_cannot_bind_fails_the_stage_with_its_name_place_and_kind_of_json(
        string parameters, string why)
    {
        await using var host = NewHost((int id) => id);

        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do", Json.Of(parameters))] });

        (failed.State, failed.ExitCode, failed.Error!.Kind).Should().Be(
            (TaskState.Failed, TaskExitCode.ExecutionError, TaskErrorKind.Params));
        failed.Error.Message.Should().Be(why);
    }

    [Fact]
    public async Task Null_for_text_that_may_not_be_null_fails_the_stage()
    {
        await using var host = NewHost((string name) => name.Length);

        (await host.RunAsync(
            new TaskDefinition
            {
                Commands = [new("do", Json.Of("""{"name": null}"""))],
            })).Error!.Kind.Should().Be(TaskErrorKind.Params);
    }

    public static TheoryData<string, Delegate, string> Results => new()
    {
        { "nothing", () => { }, "null" },
        { "a value", () => 1.50m, "1.50" },
        { "null", string? () => null, "null" },
        { "an object", () => new { UserName = "ann" }, """{"userName":"ann"}""" },
        { "a task", () => Task.CompletedTask, "null" },
        { "a task of a value", () => Task.FromResult(5), "5" },
        { "a value task", () => ValueTask.CompletedTask, "null" },
        { "a value task of a value", () => ValueTask.FromResult("x"), "\"x\"" },
        { "json", () => Json.Of("""{"a": 1.50}"""), """{"a": 1.50}""" },
        { "something of any type", object () => new Order(1, "Riga"), """{"id":1,"city":"Riga","total":null}""" },
        { "a task that is not done", async Task<int> () => { await Task.Yield(); return 7; }, "7" },
    };

    [Theory]
    [MemberData(nameof(Results))]
    public async Task A_handler_may_return(string what, Delegate handler, string json) =>
        (await CallAsync(handler, null)).Should().Be(json, what);

    [Fact]
    public async Task Services_are_resolved_in_a_scope_of_the_stage_that_ends_with_it()
    {
        var disposed = 0;
        await using var host = new TaskTestHost(tasks =>
        {
            tasks.Services.AddScoped(_ => new Scoped(() => disposed++));
            tasks.AddCommand(
                "do", (Scoped one, IServiceProvider services) => services.GetRequiredService<Scoped>() == one);
        });

        var done = await host.RunAsync(new TaskDefinition { Commands = [new("do"), new("do")] });

        done.Result.Texts().Should().Equal("true", "true");
        disposed.Should().Be(2);
    }

    [Fact]
    public async Task Marked_methods_of_a_class_are_commands()
    {
        await using var host = new TaskTestHost(tasks =>
        {
            tasks.Services.AddSingleton<Orders>();
            tasks.AddCommands<Billing>();
        });

        var done = await host.RunAsync(new TaskDefinition
        {
            Commands = [
                new("billing.charge", new { amount = 5 }),
                new("billing.static"),
                new("billing.private", new { amount = "[0.amount]" })],
        });

        done.Result.Texts().Should().Equal("""{"amount":5,"by":"orders"}""", "\"static\"", "5");
        Billing.Disposed.Should().Be(2, "an object that no service gave ends with its stage");
    }

    [Fact]
    public async Task Typed_commands_need_no_reflection()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddJsonCommand(
            "do",
            (order, context, _) => ValueTask.FromResult(order with { Total = 5 }),
            Generated.Default.Order,
            Generated.Default.Order));

        var done = await host.RunAsync(
            new TaskDefinition
            {
                Commands = [TaskCommand.Create("do", new Order(1, "Riga"), Generated.Default.Order)],
            });
        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("do", Json.Of("""{"Id": "x"}"""))] });

        done.Result[0].GetRawText().ShouldBeJson("""{"Id": 1, "City": "Riga", "Total": 5}""");
        failed.Error!.Kind.Should().Be(TaskErrorKind.Params);
    }

    [Fact]
    public void A_handler_that_cannot_be_bound_fails_the_start()
    {
        using var host = new ServiceCollection().AddLogging().AddKaijuTasks()
            .AddCommand("do", (ref int x) => { }).Services.BuildServiceProvider();
        using var unseen = new ServiceCollection().AddLogging().AddKaijuTasks()
            .AddCommand("do", async void () => await Task.Yield()).Services.BuildServiceProvider();
        using var other = new ServiceCollection().AddLogging().AddKaijuTasks()
            .AddCommand<Order>("do", (int id) => id).Services.BuildServiceProvider();

        FluentActions.Invoking(() => host.GetRequiredService<CommandCatalog>())
            .Should()
            .Throw<OptionsValidationException>()
            .WithMessage("*BindingTests.cs:*its parameter \"x\" is passed by reference*");
        FluentActions.Invoking(() => unseen.GetRequiredService<CommandCatalog>()).Should()
            .Throw<OptionsValidationException>().WithMessage("*BindingTests.cs:*async void*");
        FluentActions.Invoking(() => other.GetRequiredService<CommandCatalog>()).Should()
            .Throw<OptionsValidationException>().WithMessage("*BindingTests.cs:*no parameter of the type*Order*");
        FluentActions.Invoking(() => new ServiceCollection().AddKaijuTasks().AddCommands<Orders>()).Should()
            .Throw<ArgumentException>().WithMessage("*has no method with [Command*");
    }

    private static TaskTestHost NewHost(Delegate handler, Action<KaijuTasksOptions>? configure = null) => new(
        tasks =>
        {
            tasks.Services.AddSingleton<Orders>();
            tasks.AddCommand("do", handler);
        },
        configure);

    private static async Task<string> CallAsync(
        Delegate handler, string? parameters, Action<KaijuTasksOptions>? configure = null)
    {
        await using var host = NewHost(handler, configure);
        var task = await host.RunAsync(
            new TaskDefinition { Commands = [parameters is null ? new("do") : new("do", Json.Of(parameters))] });
        return task.Error is null
            ? task.Result[0].GetRawText()
            : throw new InvalidOperationException(task.Error.Message);
    }

    private sealed class Scoped(Action disposed) : IDisposable
    {
        public void Dispose() => disposed();
    }

    private sealed class Billing(Orders orders) : IDisposable
    {
        public static int Disposed { get; private set; }

        [Command("billing.charge")]
        public Task<object> ChargeAsync(int amount) => Task.FromResult<object>(new { amount, by = orders.Name });

        [Command("billing.static")]
        public static string Static() => "static";

        public void Dispose() => Disposed++;

        [Command("billing.private")]
        private int Private(int amount) => orders.Name == "orders" ? amount : 0;
    }
}

[JsonSerializable(typeof(BindingTests.Order))]
internal sealed partial class Generated : JsonSerializerContext;
