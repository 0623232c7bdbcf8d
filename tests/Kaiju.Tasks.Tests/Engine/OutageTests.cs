using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>
/// The store is away for longer than an executor's lifetime: living executors keep their tasks, and dead ones are still
/// expelled.
/// </summary>
public sealed class OutageTests
{
    private static readonly TimeSpan _lifetime = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan _tick = TimeSpan.FromTicks(1);

    [Fact]
    public async Task An_idle_manager_expels_a_dead_executor_within_two_lifetimes()
    {
        await using var host = new RunningHost(
            configure: options => options.Roles = TaskRoles.Manager | TaskRoles.Client);
        var store = host.Services.GetRequiredService<ITaskStore>();
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("x")] });
        await store.ClaimAsync(ByHand.Executor, ["t"], default);
        await store.HeartbeatAsync(ByHand.Executor, [], default);

        for (var passed = TimeSpan.Zero; passed < _lifetime * 2; passed += WatchInterval)
        {
            await host.Clock.PassAsync(WatchInterval);
        }

        await Waiting.Until(async () => (await host.Client.GetAsync("t"))!.State == TaskState.Queued);
        (await host.Client.GetAsync("t"))!.Managed.Interruptions.Should().Be(1);
    }

    [Fact]
    public async Task After_an_outage_living_executors_have_another_lifetime_to_ping()
    {
        await using var host = await HostAsync("living", "dead");
        await host.WatchForAsync(TimeSpan.FromSeconds(20));
        host.Clock.Advance(_lifetime * 3);

        (await host.Manager.TickAsync(default)).Moved.Should().Be(0);
        await host.WatchForAsync(_lifetime / 2);
        await PingAsync(host, "living");
        await host.WatchForAsync(_lifetime / 2);
        (await host.Manager.TickAsync(default)).Moved.Should().Be(0, "a lifetime after the store's return is allowed");
        host.Clock.Advance(_tick);
        await host.Manager.TickAsync(default);

        (await host.GetAsync("dead")).Managed.Interruptions.Should().Be(1);
        (await host.GetAsync("living")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Executing && task.Managed.Interruptions == 0);
    }

    [Fact]
    public async Task The_first_manager_after_a_long_time_waits_for_a_lifetime()
    {
        await using var host = await HostAsync("t");
        host.Clock.Advance(TimeSpan.FromMinutes(40));

        await host.Manager.TickAsync(default);
        await host.WatchForAsync(_lifetime);
        (await host.Manager.TickAsync(default)).Moved.Should().Be(0);
        host.Clock.Advance(_tick);

        (await host.Manager.TickAsync(default)).Moved.Should().Be(2, "expelled, and queued in the same tick");
    }

    [Fact]
    public async Task A_manager_that_was_frozen_does_not_expel_executors_that_another_watched()
    {
        await using var host = await HostAsync("living", "dead");
        var frozen = NewManager(host);
        await frozen.TickAsync(default);
        for (var passed = TimeSpan.Zero; passed <= _lifetime; passed += _lifetime / 3)
        {
            await host.WatchForAsync(_lifetime / 3);
            await PingAsync(host, "living");
        }

        (await frozen.TickAsync(default)).Moved.Should().Be(2, "the other manager has seen no gap, so there was none");

        (await host.GetAsync("dead")).Managed.Interruptions.Should().Be(1);
        (await host.GetAsync("living")).Managed.Interruptions.Should().Be(0);
    }

    [Fact]
    public async Task The_store_may_go_away_between_the_watch_and_the_expulsion()
    {
        await using var host = await HostAsync("living", "dead");
        await host.WatchForAsync(_lifetime / 2);
        await PingAsync(host, "living");
        await host.WatchForAsync((_lifetime / 2) + _tick);
        var manager = NewManager(host, new Departing(host.Store, () => host.Clock.Advance(_lifetime * 2)));

        await manager.TickAsync(default);

        (await host.GetAsync("dead")).Managed.Interruptions.Should().Be(1);
        (await host.GetAsync("living")).Managed.Interruptions.Should().Be(
            0, "it was alive at the last check");
    }

    [Fact]
    public async Task A_clock_that_is_put_back_begins_the_watch_anew()
    {
        await using var host = await HostAsync("t");
        await host.WatchForAsync(_lifetime);
        host.Clock.AdjustTime(host.Now - TimeSpan.FromHours(1));
        await PingAsync(host, "t");

        await host.WatchForAsync(_lifetime);
        (await host.Manager.TickAsync(default)).Moved.Should().Be(0);
        (await host.Store.GetTimeToNextDutyAsync(default)).Should().Be(_tick);
        host.Clock.Advance(_tick);

        (await host.Manager.TickAsync(default)).Moved.Should().Be(2);
    }

    [Fact]
    public async Task The_time_to_the_next_duty_is_never_zero_while_no_executor_may_be_expelled()
    {
        await using var host = await HostAsync("t");
        await host.WatchForAsync(TimeSpan.FromSeconds(10));
        host.Clock.Advance(_lifetime * 2);

        (await host.Store.GetTimeToNextDutyAsync(default)).Should().Be(
            _lifetime + _tick, "the gap counts before a manager has written it");
        await host.Manager.TickAsync(default);
        await host.WatchForAsync(TimeSpan.FromSeconds(30));
        (await host.Store.GetTimeToNextDutyAsync(default)).Should().Be(_lifetime + _tick - TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_store_that_is_away_is_reported_once_and_watched_again_when_it_is_back()
    {
        var isAway = true;
        var clock = new TestClock();
        var memory = new MemoryTaskStore(clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next);
        await using var host = new TaskTestHost(
            store: new FaultyStore(memory) { FailsBefore = _ => Volatile.Read(ref isAway) }, clock: clock);
        using var stop = new CancellationTokenSource();
        var watching = ActivatorUtilities.CreateInstance<WatchLoop>(host.Services, host.Manager, host.Options)
            .RunAsync(stop.Token);

        foreach (var pause in new[] { 100, 200, 400, 800 })
        {
            await clock.PassAsync(TimeSpan.FromMilliseconds(pause));
        }

        await clock.SleepingAsync(TimeSpan.FromMilliseconds(1600));
        host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 530);
        Volatile.Write(ref isAway, false);
        await clock.PassAsync(TimeSpan.FromMilliseconds(1600));
        await clock.SleepingAsync(WatchInterval);
        (await host.Store.WatchAsync(default)).Since.Should().Be(clock.GetUtcNow());

        await stop.CancelAsync();
        await watching.ContinueWith(_ => { }, TaskScheduler.Default).Soon();
    }

    private static TimeSpan WatchInterval => new KaijuTasksOptions().PingInterval / 3;

    /// <summary>Creates a task for each executor that holds it; all have the same name.</summary>
    private static async Task<TaskTestHost> HostAsync(params string[] names)
    {
        var host = new TaskTestHost();
        foreach (var name in names)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = name, MaxExecTimeout = TimeSpan.FromHours(1), Commands = [new("x")] });
            await host.ClaimByHandAsync(name, Executor(name));
        }

        return host;
    }

    private static async Task PingAsync(TaskTestHost host, string name) =>
        await host.Store.HeartbeatAsync(Executor(name), [], default);

    private static ExecutorInfo Executor(string name) => ByHand.Executor.With(e => e.Id, name);

    private static TaskManager NewManager(TaskTestHost host, ITaskStore? store = null) => new(
        store ?? host.Store, host.Services.GetRequiredService<Queueing.ITaskQueue>(), host.Options,
        host.Services.GetRequiredService<StoreOutages>(), NullLogger<TaskManager>.Instance);

    /// <summary>A store that is away for a while when it is called to expel dead executors.</summary>
    private sealed class Departing(ITaskStore inner, Action goAway) : DecoratedStore(inner)
    {
        public override ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
            DateTimeOffset? asOf, int limit, CancellationToken cancellationToken)
        {
            goAway();
            return base.ExpelDeadExecutorsAsync(asOf, limit, cancellationToken);
        }
    }
}
