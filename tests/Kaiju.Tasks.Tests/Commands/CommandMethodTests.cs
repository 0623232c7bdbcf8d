using Kaiju.Tasks.Commands;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class CommandMethodTests
{
    [Theory]
    [InlineData("public", "public 1")]
    [InlineData("private", "private 1")]
    [InlineData("static", "static 1")]
    [InlineData("overload", "overload 1")]
    [InlineData("base.public", "base.public 1")]
    [InlineData("base.private", "base.private 1")]
    [InlineData("base.static", "base.static 1")]
    [InlineData("base.overridden", "override 1")]
    [InlineData("renamed", "renamed 1")]
    [InlineData("closed", "closed 1")]
    public async Task A_marked_method_is_a_command_wherever_it_is_declared(string method, string result)
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommands<Derived>().AddCommands<Closed<int>>());

        (await host.RunAsync(new TaskDefinition { Commands = [new(method, new { id = 1 })] })).Result.Texts()
            .Should().Equal($"\"{result}\"");
    }

    [Fact]
    public async Task An_overridden_method_is_one_command_under_the_overrides_name()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommands<Derived>());

        host.Services.GetRequiredService<CommandCatalog>().Methods.Should().Equal(
            "base.overridden",
            "base.private",
            "base.public",
            "base.static",
            "overload",
            "private",
            "public",
            "renamed",
            "static");
    }

    [Fact]
    public async Task An_interface_that_is_a_service_may_have_the_commands()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommands<IMails>().Services.AddSingleton<IMails, Mails>());

        (await host.RunAsync(new TaskDefinition { Commands = [new("mail")] })).Result.Texts()
            .Should().Equal("\"mail\"");
    }

    [Fact]
    public void A_hidden_method_and_its_namesake_register_the_command_twice()
    {
        using var services = new ServiceCollection()
            .AddKaijuTasks().AddCommands<Hiding>().Services.BuildServiceProvider();

        services.GetRequiredService<IOptions<KaijuTasksOptions>>().Invoking(options => options.Value)
            .Should().Throw<OptionsValidationException>()
            .Which.Failures.Should().Equal(
                "The command \"base.public\" is registered 2 times: Hiding.Public and Base.Public. Each name can "
                    + "stand for one handler only.");
    }

    private interface IMails
    {
        [Command("mail")]
        string Send();
    }

    private sealed class Mails : IMails
    {
        public string Send() => "mail";
    }

    private class Base
    {
        [Command("base.static")]
        public static string Static(int id) => $"base.static {id}";

        [Command("base.public")]
        public string Public(int id) => $"{(this is null ? "" : "base.public")} {id}";

        [Command("base.overridden")]
        public virtual string Overridden(int id) => $"overridden {id}";

        [Command("base.renamed")]
        public virtual string Renamed(int id) => $"overridden {id}";

        [Command("base.private")]
        private string Private(int id) => $"{(this is null ? "" : "base.private")} {id}";
    }

    private sealed class Derived : Base
    {
        [Command("static")]
        public static new string Static(int id) => $"static {id}";

        [Command("public")]
        public static string Own(int id) => $"public {id}";

        [Command("overload")]
        public static string Own(long id) => $"overload {id}";

        public override string Overridden(int id) => $"override {id}";

        [Command("renamed")]
        public override string Renamed(int id) => $"renamed {id}";

        [Command("private")]
        private string Private(int id) => $"{(this is null ? "" : "private")} {id}";
    }

    private sealed class Hiding : Base
    {
        [Command("base.public")]
        public new string Public(int id) => $"{(this is null ? "" : "hiding")} {id}";
    }

    private sealed class Closed<T>
    {
        [Command("closed")]
        public static string Do(T id) => $"closed {id}";
    }
}
