using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.Hosting;

public sealed class ConfigurationTests
{
    [Fact]
    public void A_section_sets_options_and_code_overrides_it()
    {
        var options = Bind(
            """
            {
                "AppName": "shop", "Capacity": 3, "Roles": "Client, Manager, Executor", "PollInterval": "00:00:02",
                "ExecutorApps": ["shop", "mail"], "ExecutorData": { "region": "eu" }, "DeleteEndedAfter": "30.00:00:00",
                "MissedRuns": "Skip", "DefaultMaxRetries": 2, "Limits": { "MaxRetries": 5 }
            }
            """,
            options => options.Capacity++);

        options.Should().BeEquivalentTo(
            new
            {
                AppName = "shop",
                Capacity = 4,
                Roles = TaskRoles.All,
                PollInterval = TimeSpan.FromSeconds(2),
                ExecutorApps = new[] { "shop", "mail" },
                ExecutorData = new Dictionary<string, string> { ["region"] = "eu" },
                DeleteEndedAfter = (TimeSpan?)TimeSpan.FromDays(30),
                MissedRuns = MissedRuns.Skip,
                DefaultMaxRetries = 2,
                Limits = new { MaxRetries = 5, new TaskLimits().MaxStages },
            });
    }

    [Fact]
    public void Every_option_can_be_bound_except_those_that_are_code()
    {
        var bound = typeof(KaijuTasksOptions).GetProperties().Where(option => option.Name is not (
            nameof(KaijuTasksOptions.SerializerOptions) or nameof(KaijuTasksOptions.RetryDelay)));

        bound.Should().OnlyContain(
            option => option.PropertyType.IsValueType || option.PropertyType == typeof(string)
                || option.PropertyType == typeof(TaskLimits) || option.PropertyType.IsGenericType,
            "the binder converts text to these");
    }

    [Theory]
    [InlineData("""{ "Capactiy": 3 }""", "*'Capactiy'*")]
    [InlineData("""{ "PollInterval": "soon" }""", "*soon*PollInterval*")]
    [InlineData("""{ "Capacity": 0 }""", "Capacity is 0; it must be from 1 to 10000.")]
    public async Task A_wrong_key_or_value_fails_the_start_with_its_name(string json, string message)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(Section(json));
        using var host = builder.Build();

        (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<Exception>())
            .Which.Message.Should().Match(message);
    }

    private static KaijuTasksOptions Bind(string json, Action<KaijuTasksOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks(Section(json), configure);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<KaijuTasksOptions>>().Value;
    }

    private static IConfigurationSection Section(string json) => new ConfigurationBuilder()
        .AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes($$"""{ "Tasks": {{json}} }""")))
        .Build().GetSection("Tasks");
}
