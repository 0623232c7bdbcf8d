using System.Text.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using static Kaiju.Tasks.Tests.WrongUses.StartSubjects;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Commands, middleware and sinks that cannot work: the start fails and names the part, the place and the reason.
/// </summary>
public sealed class CommandStartTests
{
    private const string File = "Program.cs";

    public static TheoryData<string, Action<KaijuTasksBuilder>, string> Refused => new()
    {
        {
            "unregistered interface as parameter",
            tasks => tasks.AddCommand("svc", (INotThere s) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" is an INotThere, which is not registered and "
                + "cannot be read from JSON: it is an interface."
        },
        {
            "unregistered abstract class as parameter",
            tasks => tasks.AddCommand("svc", (Base s) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" is a Base, which is not registered and cannot "
                + "be read from JSON: it is an abstract class."
        },
        {
            "unregistered class with a constructor for services as parameter",
            tasks => tasks.AddCommand("svc", (NeedsMissing s) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" is a NeedsMissing, which is not registered and "
            + "cannot be read from JSON: a parameter of its constructor is not one of its properties."
        },
        {
            "delegate as parameter",
            tasks => tasks.AddCommand("svc", (Func<int, string> f) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"f\" is a Func<Int32, String>, which is not "
                + "registered and cannot be read from JSON: it is a delegate."
        },
        {
            "interface as the whole params",
            tasks => tasks.AddCommand("svc", ([Params] INotThere? all) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"all\" is an INotThere, which cannot be read from "
                + "JSON: it is an interface."
        },
        {
            "keyed-only service as parameter",
            tasks => tasks.AddCommand("svc", (ISms s) => { }, File, 7).Services.AddKeyedSingleton<ISms, Sms>("eu")
                .AddKeyedSingleton<ISms, Sms>(5),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" is an ISms, which is registered only with a key "
                + "(\"eu\", 5); choose one with [FromKeyedServices]."
        },
        {
            "keyed-only service that JSON could be",
            tasks => tasks.AddCommand("svc", (Sms s) => { }, File, 7).Services.AddKeyedSingleton<Sms>("eu"),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" is a Sms, which is registered only with a key "
                + "(\"eu\"); choose one with [FromKeyedServices]."
        },
        {
            "key that is not registered",
            tasks => tasks.AddCommand("svc", ([FromKeyedServices("us")] ISms s) => { }, File, 7).Services
                .AddKeyedSingleton<ISms, Sms>("eu"),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" takes the service ISms with the key \"us\", "
                + "which is not registered."
        },
        {
            "service asked for without a key that has keys only",
            tasks => tasks.AddCommand("svc", ([FromKeyedServices(null)] ISms s) => { }, File, 7).Services
                .AddKeyedSingleton<ISms, Sms>("eu"),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" takes the service ISms, which is registered "
                + "only with a key (\"eu\"); choose one with [FromKeyedServices]."
        },
        {
            "key of a handler",
            tasks => tasks.AddCommand("svc", ([ServiceKey] string key) => { }, File, 7),
            "The command \"svc\" of Program.cs:7: its parameter \"key\" is marked [ServiceKey], but a handler is not a "
                + "service with a key; remove it."
        },
        {
            "service whose ctor needs a missing one",
            tasks => tasks.AddCommand("svc", (NeedsMissing s) => { }, File, 7).Services.AddScoped<NeedsMissing>(),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" takes the service NeedsMissing, whose "
                + "constructor needs INotThere, which is not registered."
        },
        {
            "service whose need needs a missing one",
            tasks => tasks.AddCommand("svc", (NeedsNeeds s) => { }, File, 7).Services.AddScoped<NeedsMissing>()
                .AddScoped<NeedsNeeds>(),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" takes the service NeedsNeeds, whose constructor "
            + "needs NeedsMissing, whose constructor needs INotThere, which is not registered."
        },
        {
            "service whose ctor needs a missing key",
            tasks => tasks.AddCommand("svc", (NeedsKey s) => { }, File, 7).Services.AddScoped<NeedsKey>(),
            "The command \"svc\" of Program.cs:7: its parameter \"s\" takes the service NeedsKey, whose constructor "
                + "needs ISms with the key \"eu\", which is not registered."
        },
        {
            "command class ctor needs a missing service",
            tasks => tasks.AddCommands<NeedsMissing>(),
            "The command \"missing\" of NeedsMissing.Do: the constructor of NeedsMissing needs INotThere, which is "
                + "not registered."
        },
        {
            "command class as a service whose ctor needs a missing service",
            tasks => tasks.AddCommands<NeedsMissing>().Services.AddSingleton<NeedsMissing>(),
            "The command \"missing\" of NeedsMissing.Do: the constructor of NeedsMissing needs INotThere, which is "
                + "not registered."
        },
        {
            "middleware missing dependency",
            tasks => tasks.AddStageMiddleware<BadMiddleware>(),
            "The constructor of the middleware BadMiddleware needs INotThere, which is not registered."
        },
        {
            "sink missing dependency",
            tasks => tasks.Services.AddSingleton<INotificationSink, BadSink>(),
            "The constructor of the notification sink BadSink needs INotThere, which is not registered."
        },
        {
            "generic [Command] method",
            tasks => tasks.AddCommands<Generic>(),
            "The command \"generic\" of Generic.Do: the method has type parameters, which a task cannot set; make one "
                + "method for each type."
        },
        {
            "abstract [Command] class",
            tasks => tasks.AddCommands<Base>(),
            "The command \"base\" of Base.Do: its class Base is abstract and not a registered service; register an "
                + "implementation."
        },
        {
            "class with two constructors",
            tasks => tasks.AddCommands<TwoConstructors>(),
            "The command \"two\" of TwoConstructors.Do: its class TwoConstructors is not a registered service and has "
            + "several public constructors; mark one with [ActivatorUtilitiesConstructor]."
        },
        {
            "class without a public constructor",
            tasks => tasks.AddCommands<Closed>(),
            "The command \"closed\" of Closed.Do: its class Closed is not a registered service and has no public "
                + "constructor."
        },
        {
            "overloaded [Command] methods with one name",
            tasks => tasks.AddCommands<Overloaded>(),
            "The command \"over\" is registered 2 times: Overloaded.Do(Int32) and Overloaded.Do(String, Int32[]). "
                + "Each name can stand for one handler only."
        },
        {
            "async void method",
            tasks => tasks.AddCommands<Unseen>(),
            "The command \"unseen\" of Unseen.Do: the handler is async void, so its end and its failure cannot be "
                + "observed; let it return a Task."
        },
        {
            "async void lambda",
            tasks => tasks.AddCommand("do", async void () => await Task.Yield(), File, 7),
            "The command \"do\" of Program.cs:7: the handler is async void, so its end and its failure cannot be "
                + "observed; let it return a Task."
        },
        {
            "task of a task",
            tasks => tasks.AddCommand("do", () => Task.FromResult(Task.CompletedTask), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a Task<Task>, whose inner task would not be "
                + "awaited; await it and return its value."
        },
        {
            "task of a task of a value",
            tasks => tasks.AddCommand("do", () => Task.FromResult(Task.FromResult(1)), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a Task<Task<Int32>>, whose inner task would not "
                + "be awaited; await it and return its value."
        },
        {
            "value task of a task",
            tasks => tasks.AddCommand("do", () => new ValueTask<Task>(Task.CompletedTask), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a ValueTask<Task>, whose inner task would not be "
                + "awaited; await it and return its value."
        },
        {
            "task of a value task",
            tasks => tasks.AddCommand("do", () => Task.FromResult<ValueTask<int>>(default), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a Task<ValueTask<Int32>>, whose inner task would "
                + "not be awaited; await it and return its value."
        },
        {
            "awaitable that is not a task",
            tasks => tasks.AddCommand("do", () => Task.CompletedTask.ConfigureAwait(false), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a ConfiguredTaskAwaitable, which would not be "
                + "awaited; return a Task or a ValueTask."
        },
        {
            "async stream",
            tasks => tasks.AddCommand("do", () => Numbers(), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns an IAsyncEnumerable<Int32>, which is not one "
                + "value; read it to its end and return a list."
        },
        {
            "delegate as result",
            tasks => tasks.AddCommand("do", Func<int> () => () => 1, File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a Func<Int32>, which cannot be written as JSON."
        },
        {
            "stream as result",
            tasks => tasks.AddCommand("do", () => Task.FromResult<Stream>(new MemoryStream()), File, 7),
            "The command \"do\" of Program.cs:7: its handler returns a Task<Stream>, which cannot be written as JSON."
        },
        {
            "delegate of several methods",
            tasks =>
                tasks.AddCommand("do", (Action)Delegate.Combine((Action)(() => { }), (Action)(() => { })), File, 7),
            "The command \"do\" of Program.cs:7: the delegate has several methods; use a lambda that calls them."
        },
        {
            "special registered twice",
            tasks => tasks.AddSpecialCommand(new Special("_UNTIL_")).AddSpecialCommand(new OtherSpecial("_UNTIL_")),
            "The special command \"_UNTIL_\" is registered 2 times: Special and OtherSpecial. Each name can stand for "
                + "one special command only."
        },
        {
            "timer replaced twice",
            tasks => tasks.AddSpecialCommand(new Special("_TIMER_")).AddSpecialCommand(new Special("_TIMER_")),
            "The special command \"_TIMER_\" is registered 2 times: Special and Special. Each name can stand for one "
                + "special command only."
        },
        {
            "special with blank name",
            tasks => tasks.AddSpecialCommand(new Special(" ")),
            "The name of the special command Special is \" \"; it must have 1 to 200 characters, not only blanks."
        },
        {
            "special with null name",
            tasks => tasks.AddSpecialCommand(new Special(null!)),
            "The name of the special command Special is null; it must have 1 to 200 characters, not only blanks."
        },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task The_start_fails(string wrongUse, Action<KaijuTasksBuilder> build, string message)
    {
        var failed = (await FluentActions.Awaiting(() => StartAsync(build)).Should()
            .ThrowAsync<OptionsValidationException>(wrongUse)).Which;

        failed.Failures.Should().ContainSingle(wrongUse).Which.Should().Be(message);
    }

    public static TheoryData<string, Action<KaijuTasksBuilder>> Accepted => new()
    {
        { "interface that may be missing", tasks => tasks.AddCommand("a", (INotThere? s) => { }).AddCommand(
            "b", (INotThere s = null!) => { }) },
        { "interfaces that JSON has", tasks => tasks.AddCommand(
            "a", (IReadOnlyList<int> a, IDictionary<string, int> b, System.Text.Json.Nodes.JsonNode c) => { }) },
        { "interface with a converter of its own", tasks => tasks.AddCommand("a", (IConverted a) => { }) },
        { "abstract class with derived types", tasks => tasks.AddCommand("a", (Shape a) => { }) },
        { "record and class with a constructor", tasks => tasks.AddCommand("a", (Point a, OnlyGets b) => { }) },
        { "service that a function makes", tasks => tasks.AddCommand(
            "a", (NeedsMissing a) => { }).Services.AddScoped(_ => new NeedsMissing(null!)) },
        { "service with a constructor that can be satisfied", tasks => tasks.AddCommand(
            "a", (TwoConstructors a) => { }).Services.AddScoped<TwoConstructors>() },
        { "service with a default", tasks => tasks.AddCommand(
            "a", (Defaults a) => { }).Services.AddScoped<Defaults>() },
        { "services in a ring", tasks => tasks.AddCommand("a", (Ring a) => { }).Services.AddScoped<Ring>() },
        { "abstract class that is a service", tasks => tasks.AddCommands<Base>().Services.AddScoped<Base, Derived>() },
        { "static method of an abstract class", tasks => tasks.AddCommands<AbstractStatic>() },
        { "middleware that a function makes", tasks => tasks.AddStageMiddleware<BadMiddleware>().Services.AddScoped(
            _ => new BadMiddleware(null!)) },
        { "timer replaced once", tasks => tasks.AddSpecialCommand(new Special("_TIMER_")).AddSpecialCommand(
            new Special("_MESSAGE_")) },
        { "any key", tasks => tasks.AddCommand(
            "a", ([FromKeyedServices("x")] ISms a) => { }).Services.AddKeyedSingleton<ISms, Sms>(KeyedService.AnyKey) },
        { "key that may be missing", tasks => tasks.AddCommand(
            "a", ([FromKeyedServices("x")] ISms? a, [FromKeyedServices("x")] ISms b = null!) => { }) },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task The_start_accepts(string use, Action<KaijuTasksBuilder> build) =>
        await FluentActions.Awaiting(() => StartAsync(build)).Should().NotThrowAsync(use);

    [Fact]
    public async Task A_start_names_every_fault_of_every_command_at_once()
    {
        var failed = (await FluentActions.Awaiting(() => StartAsync(tasks => tasks
            .AddCommand("a", (INotThere x, ISms y) => Task.FromResult(Task.CompletedTask))
            .AddCommands<NeedsMissing>()
            .AddStageMiddleware<BadMiddleware>())).Should().ThrowAsync<OptionsValidationException>()).Which;

        failed.Failures.Should().HaveCount(5);
    }

    [Fact]
    public async Task A_client_may_register_commands_that_it_cannot_run() =>
        await FluentActions.Awaiting(() => StartAsync(tasks =>
        {
            tasks.AddCommand("svc", (INotThere s) => { }).AddStageMiddleware<BadMiddleware>();
            tasks.Services.AddSingleton<INotificationSink, BadSink>().Configure<KaijuTasksOptions>(
                options => options.Roles = TaskRoles.Client);
            tasks.Services.AddSingleton<ITaskStore>(
                provider => new AnotherStore(provider.GetRequiredService<MemoryTaskStore>()));
        })).Should().NotThrowAsync();

    public static TheoryData<string, string?, string> Names => new()
    {
        { "null", null, "is null" },
        { "empty", "", "is \"\"" },
        { "blank", " \t", "is \" \t\"" },
        { "300 characters", new string('x', 300), $"is \"{new string('x', 100)}…\" with 300 characters" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void A_command_cannot_be_registered_under_a_name_that_is(string wrongUse, string? name, string shown)
    {
        var message =
            $"The name of the command of Program.cs:7 {shown}; it must have 1 to 200 characters, not only blanks. "
                + $"(Parameter 'method')";
        var tasks = new ServiceCollection().AddKaijuTasks();

        FluentActions.Invoking(() => tasks.AddCommand(name!, () => 1, File, 7)).Should()
            .Throw<ArgumentException>(wrongUse).Which.Message.Should().Be(message);
        FluentActions.Invoking(() => tasks.AddJsonCommand(name!, (_, _, _) => default(ValueTask<JsonElement>), File, 7))
            .Should().Throw<ArgumentException>(wrongUse).Which.Message.Should().Be(message);
    }

    [Fact]
    public void The_error_of_a_marked_method_with_a_blank_name_names_the_method() =>
        FluentActions.Invoking(() => new ServiceCollection().AddKaijuTasks().AddCommands<BlankName>()).Should()
            .Throw<ArgumentException>()
            .Which.Message.Should().Be(
                "The name of the command of BlankName.Do is \" \"; it must have 1 to 200 characters, not only blanks. "
                    + "(Parameter 'method')");

    [Fact]
    public async Task A_task_cannot_ask_for_a_blank_name()
    {
        await using var host = new TaskTestHost();

        (await FluentActions.Awaiting(() => host.Client.CreateAsync(new TaskDefinition { Commands = [new("  ")] }))
            .Should().ThrowAsync<TaskValidationException>())
            .Which.Faults.Should().Equal(
                "commands[0].method is \"  \"; it must have 1 to 200 characters, not only blanks.");
    }

    private static async Task StartAsync(Action<KaijuTasksBuilder> build)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        build(builder.Services.AddKaijuTasks());
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();
    }

    private static async IAsyncEnumerable<int> Numbers()
    {
        await Task.Yield();
        yield return 1;
    }
}
