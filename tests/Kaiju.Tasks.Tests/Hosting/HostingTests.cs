using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Hosting;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.Hosting;

public sealed class HostingTests
{
    [Fact]
    public void Adding_the_library_twice_combines_both_and_registers_nothing_twice()
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks(options => options.AppName = "shop").AddCommand("a", () => 1);
        services.AddKaijuTasks(options => options.Capacity = 3).AddCommand("b", () => 2);
        using var provider = services.AddLogging().BuildServiceProvider();

        provider.GetServices<IHostedService>().Should().ContainSingle().Which.Should().BeOfType<TaskHostedService>();
        provider.GetServices<ITaskClient>().Should().ContainSingle();
        provider.GetServices<ITaskStore>().Should().ContainSingle();
        provider.GetServices<ITaskQueue>().Should().ContainSingle();
        provider.GetServices<SpecialCommand>().Should().HaveCount(2);
        provider.GetServices<IValidateOptions<KaijuTasksOptions>>().Should().ContainSingle();
        provider.GetRequiredService<TaskExecutor>().Info.Should().Match<ExecutorInfo>(
            executor => executor.AppName == "shop" && executor.Capacity == 3);
        provider.GetRequiredService<CommandCatalog>().Methods.Should().Equal("a", "b");
    }

    [Fact]
    public async Task Options_are_checked_at_the_start_with_all_faults_in_one_message()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options =>
        {
            options.AppName = "";
            options.Capacity = 0;
            options.Roles = TaskRoles.None;
            options.PollInterval = TimeSpan.Zero;
            options.SuspendedLifetime = TimeSpan.MaxValue;
            options.Limits = new TaskLimits { MaxStages = 0, DefaultExecTimeout = TimeSpan.FromSeconds(1) };
        }).AddCommand("same", () => 1).AddCommand("same", () => 2).AddCommands<Same>().AddCommand("_TIMER_", () => 3);
        using var host = builder.Build();

        var failed = (await FluentActions.Awaiting(() => host.StartAsync()).Should()
            .ThrowAsync<OptionsValidationException>()).Which;

        failed.Failures.Should().HaveCount(9);
        failed.Message.Should().ContainAll(failed.Failures);
        failed.Failures.Should().ContainMatch("AppName or ExecutorApps has \"\"*")
            .And.ContainMatch("Capacity is 0; it must be from 1 to 10000.")
            .And.ContainMatch("Roles is None*").And.ContainMatch("SuspendedLifetime is*")
            .And.ContainMatch("PollInterval is 00:00:00; it must be from 00:00:00.0100000 to 00:10:00.")
            .And.ContainMatch("Limits.MaxStages is 0*")
            .And.ContainMatch("Limits.MinExecTimeout is 00:00:10; it must be from*")
            .And.ContainMatch(
                "The command \"same\" is registered 3 times: HostingTests.cs:*and HostingTests.cs:*and Same.Do*")
            .And.ContainMatch("The command \"_TIMER_\" of HostingTests.cs:* has the name of a special command*");
    }

    [Theory]
    [InlineData(99, false)]
    [InlineData(100, true)]
    [InlineData(3_600_000, true)]
    [InlineData(3_600_001, false)]
    public void The_client_timeout_is_from_100_ms_to_an_hour(int milliseconds, bool isAllowed)
    {
        using var provider = new ServiceCollection().AddKaijuTasks(
            options => options.ClientTimeout = TimeSpan.FromMilliseconds(milliseconds))
            .Services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptions<KaijuTasksOptions>>();

        if (isAllowed)
        {
            options.Value.ClientTimeout.TotalMilliseconds.Should().Be(milliseconds);
        }
        else
        {
            options.Invoking(given => given.Value).Should().Throw<OptionsValidationException>()
                .WithMessage("ClientTimeout is *; it must be from 00:00:00.1000000 to 01:00:00.");
        }
    }

    [Theory]
    [InlineData(1, 2, 1999, null)]
    [InlineData(
        1,
        2,
        2000,
        "ClaimCheckInterval is 00:00:02 and an executor's lifetime is 00:00:02 (PingInterval 00:00:01 × "
            + "MaxMissedPings 2); the interval must be shorter*")]
    [InlineData(10, 3, 60_000, "ClaimCheckInterval is 00:01:00 and an executor's lifetime is 00:00:30*")]
    [InlineData(30, 3, 60_000, null)]
    public void The_claim_check_interval_is_shorter_than_an_executors_lifetime(
        int ping, int missed, int check, string? fault) => Check(
        options =>
        {
            (options.PingInterval, options.MaxMissedPings) = (TimeSpan.FromSeconds(ping), missed);
            options.ClaimCheckInterval = TimeSpan.FromMilliseconds(check);
        },
        fault);

    [Theory]
    [InlineData(5, 5, null)]
    [InlineData(4, 5, "SuspendedLifetime is 00:00:04 and PollInterval is 00:00:05; the lifetime must not be shorter*")]
    public void A_suspended_tasks_lifetime_is_at_least_the_poll_interval(
        int suspended, int poll, string? fault) => Check(
        options => (options.SuspendedLifetime, options.PollInterval) = (
            TimeSpan.FromSeconds(suspended), TimeSpan.FromSeconds(poll)),
        fault);

    [Theory]
    [InlineData(1, "MaxMissedPings is 1; it must be from 2 to 100.")]
    [InlineData(2, null)]
    [InlineData(100, null)]
    [InlineData(101, "MaxMissedPings is 101; it must be from 2 to 100.")]
    public void At_least_two_pings_must_be_missed_before_an_executor_is_dead(int missed, string? fault) =>
        Check(options => options.MaxMissedPings = missed, fault);

    [Fact]
    public async Task A_handler_that_cannot_be_bound_fails_the_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks().AddCommand("do", (ReadOnlySpan<char> text) => { });
        using var host = builder.Build();

        await FluentActions.Awaiting(() => host.StartAsync()).Should()
            .ThrowAsync<OptionsValidationException>().WithMessage("*HostingTests.cs:*lives on the stack*");
    }

    [Theory]
    [InlineData(TaskRoles.Client, TaskState.Queued, false)]
    [InlineData(TaskRoles.Executor, TaskState.Finished, true)]
    [InlineData(TaskRoles.All, TaskState.Finished, true)]
    public async Task A_host_does_the_work_of_its_roles(TaskRoles roles, TaskState ends, bool waits)
    {
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1), options => options.Roles = roles);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        if (waits)
        {
            await host.Client.WaitAsync("t").Soon();
        }

        (await host.Client.GetAsync("t"))!.State.Should().Be(ends);
    }

    [Fact]
    public async Task A_manager_alone_queues_and_runs_nothing()
    {
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1), options => options.Roles = TaskRoles.Manager | TaskRoles.Client);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskTestHost.Start.AddSeconds(2), Commands = [new("do")] });
        var queued = new TaskCompletionSource();
        using var listening = host.Services.GetRequiredService<ITaskStore>().Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Queued))
            {
                queued.TrySetResult();
            }
        });

        await host.Clock.PassAsync(TimeSpan.FromSeconds(2));
        await queued.Task.Soon();

        (await host.Client.GetAsync("t"))!.State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public async Task An_executor_claims_for_its_configured_apps()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1), options =>
        {
            options.AppName = "shop";
            options.ExecutorApps.Add("billing");
            options.ExecutorApps.Add("mail");
        });
        foreach (var app in new[] { "billing", "mail", null })
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = app ?? "own", AppName = app, Commands = [new("do")] });
        }

        await host.RunUntilIdleAsync();

        (await host.GetAsync("billing")).State.Should().Be(TaskState.Finished);
        (await host.GetAsync("mail")).State.Should().Be(TaskState.Finished);
        (await host.GetAsync("own")).State.Should().Be(TaskState.Queued, "its own app is not among them");
    }

    [Fact]
    public void The_rules_follow_the_options()
    {
        using var provider = new ServiceCollection().AddKaijuTasks(options =>
        {
            options.PingInterval = TimeSpan.FromSeconds(2);
            options.MaxMissedPings = 4;
            options.MaxInterruptions = 7;
            options.AbortOverdueQueued = true;
            options.SuspendedLifetime = TimeSpan.FromDays(1);
        }).Services.BuildServiceProvider();

        provider.GetRequiredService<LifecycleRules>().Should().Match<LifecycleRules>(rules =>
            rules.ExecutorLifetime == TimeSpan.FromSeconds(8) && rules.MaxInterruptions == 7 && rules.AbortOverdueQueued
                && rules.SuspendedLifetime == TimeSpan.FromDays(1));
    }

    [Fact]
    public void The_defaults_are_those_of_the_original()
    {
        var options = new KaijuTasksOptions();

        (options.AppName, options.Roles, options.PingInterval, options.MaxMissedPings).Should()
            .Be(("default", TaskRoles.All, TimeSpan.FromSeconds(30), 3));
        options.Apps.Should().Equal("default");
        options.ClientTimeout.Should().Be(TimeSpan.FromSeconds(30));
        options.Limits.Should().Match<TaskLimits>(limits =>
            limits.MaxStages == 100 && limits.MaxRetries == 10 && limits.MinExecTimeout == TimeSpan.FromSeconds(10)
            && limits.DefaultExecTimeout == TimeSpan.FromSeconds(300)
                && limits.MaxExecTimeout == TimeSpan.FromSeconds(14_400)
            && limits.MaxIdLength == 200 && limits.MaxParamsBytes == 1 << 20 && limits.MaxResultBytes == 1 << 20
                && limits.MaxKwsBytes == 1 << 20
            && limits.MaxDefinitionBytes == 1 << 24 && limits.MaxJsonDepth == 64 && limits.MaxErrorBytes == 1 << 13
                && limits.MaxWait == TimeSpan.FromDays(366));
    }

    /// <summary>Exactly one fault, or none.</summary>
    private static void Check(Action<KaijuTasksOptions> configure, string? fault)
    {
        using var provider = new ServiceCollection().AddKaijuTasks(configure).Services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptions<KaijuTasksOptions>>();
        if (fault is null)
        {
            options.Value.Should().NotBeNull();
        }
        else
        {
            options.Invoking(given => given.Value).Should().Throw<OptionsValidationException>().Which.Failures.Should()
                .ContainSingle().Which.Should().Match(fault);
        }
    }

    private sealed class Same
    {
        [Command("same")]
        public static void Do()
        {
        }
    }
}
