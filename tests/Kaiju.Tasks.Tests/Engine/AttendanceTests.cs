using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Work that no host does is logged one minute after it arrives and then once an hour.</summary>
public sealed class AttendanceTests
{
    private const int AppUnserved = 310;
    private const int ManagerMissing = 311;
    private const int AttendanceUnknown = 312;

    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_running_host_warns_of_an_app_that_no_executor_serves()
    {
        await using var host = new RunningHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", AppName = "other", Commands = [new("do")] });

        await host.Clock.PassAsync(_minute);

        await Waiting.Until(() => Task.FromResult(host.Logs.Lines.Any(line => line.Event.Id == AppUnserved)));
        host.Logs.Lines.Should().ContainSingle(line => line.Level >= LogLevel.Warning).Which.Text.Should().Be(
            "App other seems to have no executor: its tasks have been queued for over 00:01:00, and none is running. "
            + "Check AppName and ExecutorApps of the hosts with the Executor role.");
    }

    [Fact]
    public async Task An_app_is_warned_of_once_an_hour_and_anew_after_it_was_served()
    {
        await using var host = new TaskTestHost();
        var attendance = Attendance(host);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", AppName = "other", MaxExecTimeout = _minute, Commands = [new("do")] });

        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(60));
        Count(host, AppUnserved).Should().Be(1);
        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(60));
        Count(host, AppUnserved).Should().Be(2);

        await host.ClaimByHandAsync("t");
        await CheckForAsync(host, attendance, _minute);
        await host.Store.CancelAsync("t", default);
        await host.Client.CreateAsync(new TaskDefinition { Id = "u", AppName = "other", Commands = [new("do")] });
        await CheckForAsync(host, attendance, _minute);
        Count(host, AppUnserved).Should().Be(3, "it was served in between");
    }

    [Fact]
    public async Task A_timer_without_a_manager_is_warned_of_once_an_hour()
    {
        await using var host = HostWithoutManager();
        var attendance = Attendance(host);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("_TIMER_") { Params = new { timer = 5 } }] });
        await host.ReportByHandAsync(await host.ClaimByHandAsync("t"), StageOutcome.WaitFor(TimeSpan.FromSeconds(5)));

        await CheckForAsync(host, attendance, _minute);
        Count(host, ManagerMissing).Should().Be(0, "the timer has been over for less than a minute");
        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(60));
        Count(host, ManagerMissing).Should().Be(1);
        host.Logs.Lines.Single(line => line.Event.Id == ManagerMissing).Should().BeEquivalentTo(new
        {
            Level = LogLevel.Warning,
            Text =
                "Tasks are waiting for a manager (last seen: none). Timers, retries, schedules and message timeouts "
                + "wait until a host with the Manager role runs.",
        });
        await CheckForAsync(host, attendance, _minute);
        Count(host, ManagerMissing).Should().Be(2);
    }

    [Fact]
    public async Task A_host_without_the_role_leaves_the_warning_to_the_manager_of_another()
    {
        await using var host = HostWithoutManager();
        var attendance = Attendance(host);
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "due", RunAt = host.Now + _minute, Commands = [new("do")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", AppName = "other", Commands = [new("do")] });
        host.Clock.Advance(_minute * 2);
        await host.Store.WatchAsync(default);

        await attendance.TryToLookAsync(default);
        host.Logs.Lines.Should().NotContain(line => line.Event.Id == AppUnserved || line.Event.Id == ManagerMissing);

        // Its last ping is a lifetime old: it is dead.
        host.Clock.Advance(TimeSpan.FromSeconds(91));
        await attendance.TryToLookAsync(default);
        Count(host, AppUnserved).Should().Be(1);
        Count(host, ManagerMissing).Should().Be(1);
    }

    [Fact]
    public async Task A_failed_check_is_warned_of_once_an_hour_unless_an_outage_is_logged_already()
    {
        var clock = new TestClock();
        var memory = new MemoryTaskStore(clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next);
        await using var host = new TaskTestHost(
            store: new FaultyStore(memory) { FailsBefore = member => member == nameof(ITaskStore.FindUnattendedAsync) },
            clock: clock);
        var (attendance, outages) = (Attendance(host), host.Services.GetRequiredService<StoreOutages>());
        outages.Failed("claim tasks", new IOException());
        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(5));
        Count(host, AttendanceUnknown).Should().Be(0);
        outages.Succeeded("claim tasks");

        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(60));
        Count(host, AttendanceUnknown).Should().Be(1);
        await CheckForAsync(host, attendance, TimeSpan.FromMinutes(60));
        Count(host, AttendanceUnknown).Should().Be(2);
        host.Logs.Lines.Last(line => line.Event.Id == AttendanceUnknown).Exception.Should().BeOfType<IOException>();
    }

    [Fact]
    public async Task A_single_failed_check_is_not_logged()
    {
        var isAway = true;
        var clock = new TestClock();
        var memory = new MemoryTaskStore(clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next);
        await using var host = new TaskTestHost(
            store: new FaultyStore(memory) { FailsBefore = _ => isAway }, clock: clock);
        var attendance = Attendance(host);
        for (var i = 0; i < 4; i++)
        {
            await CheckForAsync(host, attendance, _minute);
            isAway = !isAway;
        }

        Count(host, AttendanceUnknown).Should().Be(0);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_a_check_does_not_keep_its_host_from_stopping()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new RunningHost(store: inner => new SilentStore(inner, asked));

        await host.Clock.PassAsync(_minute);
        await asked.Task.Soon();

        await host.StopAsync().Soon();
    }

    private static TaskTestHost HostWithoutManager()
    {
        var clock = new TestClock();
        return new TaskTestHost(
            configure: options => options.Roles = TaskRoles.Client | TaskRoles.Executor,
            store: new MemoryTaskStore(clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next),
            clock: clock);
    }

    private static AttendanceLoop Attendance(TaskTestHost host) =>
        ActivatorUtilities.CreateInstance<AttendanceLoop>(host.Services, host.Options);

    private static async Task CheckForAsync(TaskTestHost host, AttendanceLoop attendance, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += _minute)
        {
            host.Clock.Advance(_minute);
            await attendance.TryToLookAsync(default);
        }
    }

    private static int Count(TaskTestHost host, int id) => host.Logs.Lines.Count(line => line.Event.Id == id);

    private sealed class SilentStore(ITaskStore inner, TaskCompletionSource asked) : DecoratedStore(inner)
    {
        public override ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken)
        {
            asked.TrySetResult();
            return new(new TaskCompletionSource<UnattendedWork>().Task);
        }
    }
}
