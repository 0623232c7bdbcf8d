using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Wrong uses of a host's registration, each with its whole message: at the start, or in the log if the host can still
/// work.
/// </summary>
public sealed class HostingTests
{
    private const string PostgreSql = "Host=127.0.0.1;Database=shop;Username=shop";
    private const string Sqlite = "Data Source=shop.db";

    public static TheoryData<string, string> Refused => new()
    {
        {
            "the memory store with Roles = Client",
            "Roles is Client and tasks are kept in memory, where other hosts cannot read them; Roles must be All, or "
            + "the host needs a store that hosts share, such as UseSqlite(…) or UsePostgreSql(…)."
        },
        {
            "the memory store without a manager",
            "Roles is Client, Executor and tasks are kept in memory, where other hosts cannot read them; Roles must be "
            + "All, or the host needs a store that hosts share, such as UseSqlite(…) or UsePostgreSql(…)."
        },
        { "UseSqlite and UsePostgreSql", "The host has 2 stores: UseSqlite and UsePostgreSql. It must have one; "
            + "remove the others." },
        { "UseSqlite twice", "The host has 2 stores: UseSqlite and UseSqlite. It must have one; remove the others." },
        { "UsePostgreSql twice", "The host has 2 stores: UsePostgreSql and UsePostgreSql. It must have one; remove "
            + "the others." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_start_is_refused(string wrongUse, string message)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddKaijuTasks();
        _ = wrongUse switch
        {
            "the memory store with Roles = Client" => tasks.Configured(options => options.Roles = TaskRoles.Client),
            "the memory store without a manager" =>
                tasks.Configured(options => options.Roles = TaskRoles.Client | TaskRoles.Executor),
            "UseSqlite and UsePostgreSql" => tasks.UseSqlite(Sqlite).UsePostgreSql(PostgreSql),
            "UseSqlite twice" => tasks.UseSqlite(Sqlite).UseSqlite(Sqlite),
            _ => tasks.UsePostgreSql(PostgreSql).UsePostgreSql(PostgreSql),
        };
        using var host = builder.Build();

        var refusal = (await FluentActions.Awaiting(() => host.StartAsync()).Should()
            .ThrowAsync<OptionsValidationException>()).Which;

        refusal.Failures.Should().Equal(message);
    }

    [Fact]
    public async Task A_store_of_the_hosts_own_may_have_any_roles()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client).UseStore(
            "UseShared", provider => provider.GetRequiredService<MemoryTaskStore>(), _ => new NoQueue());
        using var host = builder.Build();

        await host.StartAsync();

        host.Services.GetRequiredService<Queueing.ITaskQueue>().Should().BeOfType<NoQueue>();
        await host.StopAsync();
    }

    [Fact]
    public async Task A_sink_in_a_host_that_is_not_a_manager_is_warned_of_at_the_start()
    {
        await using var host = new RunningHost(
            tasks =>
                tasks.Services.AddSingleton<INotificationSink, Sink>().AddSingleton<INotificationSink>(_ => new Sink()),
            options => options.Roles = TaskRoles.Client | TaskRoles.Executor);

        host.Logs.Lines.Should().ContainSingle(line => line.Level >= LogLevel.Warning).Which.Text.Should().Be(
            $"Notification sinks in a host without the Manager role receive no notifications: {typeof(Sink).FullName}, "
            + "one made by a function. Register them in hosts with the Manager role.");
    }

    [Fact]
    public async Task A_host_whose_own_app_its_executor_does_not_run_is_warned_of_at_the_start()
    {
        await using var host = new RunningHost(configure: options =>
        {
            options.AppName = "shop";
            options.ExecutorApps.Add("mail");
        });

        host.Logs.Lines.Should().ContainSingle(line => line.Level >= LogLevel.Warning).Which.Text.Should().Be(
            "This host creates tasks of app shop, but its executor runs only mail. Add shop to ExecutorApps, or run an "
            + "executor for that app in another host.");
    }

    [Theory]
    [InlineData(TaskRoles.Client | TaskRoles.Manager, "mail")]
    [InlineData(TaskRoles.Executor, "mail")]
    [InlineData(TaskRoles.All, "shop")]
    public async Task A_host_that_cannot_miss_its_own_app_is_not_warned_of(TaskRoles roles, string app)
    {
        await using var host = new RunningHost(configure: options =>
        {
            (options.AppName, options.Roles) = ("shop", roles);
            options.ExecutorApps.Add(app);
        });

        host.Logs.Lines.Should().NotContain(line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_sink_in_a_manager_is_not_warned_of()
    {
        await using var host = new RunningHost(tasks => tasks.Services.AddSingleton<INotificationSink, Sink>());

        host.Logs.Lines.Should().NotContain(line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_host_that_does_not_wait_for_its_stages_is_warned_of_at_its_stop()
    {
        var gate = new Gate();
        using var logs = new RecordedLogs();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(logs);
        builder.Services.AddKaijuTasks(options => options.StopTimeout = TimeSpan.FromMinutes(5))
            .AddCommand("pass", gate.PassStubbornlyAsync);
        using var host = builder.Build();
        await host.StartAsync();
        await host.Services.GetRequiredService<ITaskClient>().CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("pass")] });
        await gate.Entered;

        await host.StopAsync(new CancellationToken(canceled: true)).Soon();

        logs.Lines.Should().ContainSingle(line => line.Event.Id == 305).Which.Text.Should().Be(
            "The host's ShutdownTimeout expired before its stages ended; they run again elsewhere. It must be longer "
            + "than StopTimeout (00:05:00) and StopCancelTimeout (00:00:03) together.");
        gate.Open();
    }

    private sealed class Sink : INotificationSink
    {
        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken) => default;
    }

    private sealed class NoQueue : Queueing.ITaskQueue
    {
        public ValueTask PublishAsync(IReadOnlyList<Queueing.QueuedTask> tasks, CancellationToken cancellationToken) =>
            default;

        public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
            Queueing.ClaimRequest request, CancellationToken cancellationToken) => new([]);

        public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
            default;
    }
}

internal static class ConfiguredBuilder
{
    /// <summary>The host's options, set after the registration.</summary>
    public static KaijuTasksBuilder Configured(this KaijuTasksBuilder tasks, Action<KaijuTasksOptions> configure)
    {
        tasks.Services.Configure(configure);
        return tasks;
    }
}
