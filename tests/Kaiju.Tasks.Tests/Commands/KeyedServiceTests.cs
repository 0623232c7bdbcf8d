using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Commands;

public sealed class KeyedServiceTests
{
    public interface ISender
    {
        string Way { get; }
    }

    [Fact]
    public async Task A_handlers_parameter_gets_the_service_of_its_key()
    {
        await using var host = NewHost(tasks => tasks.AddCommand(
            "do",
            (
                [FromKeyedServices("sms")] ISender sms,
                [FromKeyedServices(null)] ISender plain,
                ISender other,
                [FromKeyedServices("fax")] ISender? fax) =>
                $"{sms.Way} {plain.Way} {other.Way} {fax is null}"));

        (await RunAsync(host)).Should().Be("\"sms mail mail True\"");
    }

    [Fact]
    public async Task A_keyed_service_comes_from_the_stages_scope()
    {
        await using var host = NewHost(tasks => tasks.AddCommand(
            "do",
            ([FromKeyedServices("scoped")] ISender one, IServiceProvider services) =>
                services.GetRequiredKeyedService<ISender>("scoped") == one));

        (await RunAsync(host)).Should().Be("true");
    }

    [Fact]
    public async Task A_handlers_parameter_can_get_all_services_of_a_key()
    {
        await using var host = NewHost(
            tasks => tasks.AddCommand(
                "do",
                (
                    [FromKeyedServices("sms")] IEnumerable<ISender> all,
                    [FromKeyedServices("fax")] IEnumerable<ISender> none) =>
            $"{all.Count()} {none.Count()}"));

        (await RunAsync(host)).Should().Be("\"1 0\"");
    }

    [Fact]
    public async Task A_command_classs_constructor_gets_the_service_of_its_key()
    {
        await using var made = NewHost(tasks => tasks.AddCommands<Sending>());
        await using var service = NewHost(tasks => tasks.AddCommands<Sending>().Services.AddScoped<Sending>());

        (await RunAsync(made)).Should().Be("\"sms\"");
        (await RunAsync(service)).Should().Be("\"sms\"");
    }

    [Fact]
    public async Task A_middlewares_constructor_gets_the_service_of_its_key()
    {
        await using var host = NewHost(tasks => tasks.AddStageMiddleware<Stamping>().AddCommand("do", () => 1));

        (await RunAsync(host)).Should().Be("\"sms\"");
    }

    [Fact]
    public async Task A_sinks_constructor_gets_the_service_of_its_key()
    {
        var delivered = new TaskCompletionSource<string>();
        await using var host = new RunningHost(tasks =>
        {
            AddSenders(tasks);
            tasks.AddCommand("do", () => 1).Services.AddSingleton(delivered).AddSingleton<INotificationSink, Sink>();
        });
        await host.Client.CreateAsync(new TaskDefinition { Notify = true, Commands = [new("do")] });

        (await delivered.Task.Soon()).Should().Be("sms");
    }

    [Fact]
    public async Task A_key_replaces_the_stages_own_logger_with_the_service_of_the_key()
    {
        var audit = new RecordedLogs();
        await using var host = NewHost(tasks =>
        {
            tasks.Services.AddKeyedSingleton("audit", audit.CreateLogger("audit"));
            tasks.AddCommand("do", ([FromKeyedServices("audit")] ILogger keyed, ILogger own) =>
            {
                keyed.LogInformation("for the audit");
                own.LogInformation("for all");
            });
        });

        await RunAsync(host);

        audit.Lines.Select(line => line.Text).Should().Equal("for the audit");
        host.Logs.Lines.Should().Contain(line => line.Text == "for all").And.NotContain(
            line => line.Text == "for the audit");
    }

    [Fact]
    public async Task The_stages_provider_gives_keyed_services()
    {
        await using var host = NewHost(tasks => tasks.AddCommand("do", (IServiceProvider services) => string.Join(
            " ",
            services.GetKeyedService<ISender>("sms")!.Way,
            services.GetRequiredKeyedService<ISender>("sms").Way,
            services.GetKeyedService<ISender>("fax") is null,
            services.GetKeyedService<ISender>(null)!.Way,
            services.GetRequiredKeyedService<ISender>(null).Way,
            services.GetKeyedService<IServiceProvider>(null) == services,
            services.GetRequiredService<IServiceProviderIsKeyedService>().IsKeyedService(typeof(ISender), "sms"),
            ActivatorUtilities.CreateInstance<Sending>(services).Do())));

        (await RunAsync(host)).Should().Be("\"sms sms True mail mail True True sms\"");
    }

    [Fact]
    public async Task The_stages_provider_gives_no_keyed_service_after_the_stage()
    {
        IServiceProvider? kept = null;
        await using var host = NewHost(
            tasks => tasks.AddCommand("do", (IServiceProvider services) => { kept = services; }));
        await RunAsync(host);

        FluentActions.Invoking(() => kept!.GetKeyedService<ISender>("sms")).Should().Throw<ObjectDisposedException>();
        FluentActions.Invoking(() => kept!.GetRequiredKeyedService<ISender>("sms")).Should()
            .Throw<ObjectDisposedException>();
    }

    private static TaskTestHost NewHost(Action<KaijuTasksBuilder> build) => new(tasks =>
    {
        AddSenders(tasks);
        build(tasks);
    });

    private static void AddSenders(KaijuTasksBuilder tasks) => tasks.Services
        .AddSingleton<ISender>(new Sender("mail"))
        .AddKeyedSingleton<ISender>("sms", new Sender("sms"))
        .AddKeyedScoped<ISender>("scoped", (_, _) => new Sender("scoped"));

    private static async Task<string> RunAsync(TaskTestHost host)
    {
        var task = await host.RunAsync(new TaskDefinition { Commands = [new("do")] });
        return task.Error is null
            ? task.Result[0].GetRawText()
            : throw new InvalidOperationException(task.Error.Message);
    }

    private sealed class Sender(string way) : ISender
    {
        public string Way => way;
    }

    private sealed class Sending([FromKeyedServices("sms")] ISender sender)
    {
        [Command("do")]
        public string Do() => sender.Way;
    }

    private sealed class Stamping([FromKeyedServices("sms")] ISender sender) : IStageMiddleware
    {
        public async ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken)
        {
            await next(parameters, cancellationToken);
            return StageOutcome.Completed(JsonSerializer.SerializeToElement(sender.Way));
        }
    }

    private sealed class Sink(
        [FromKeyedServices("sms")] ISender sender, TaskCompletionSource<string> delivered) : INotificationSink
    {
        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
        {
            delivered.TrySetResult(sender.Way);
            return default;
        }
    }
}
