using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>A due or queued task that another transaction holds does not keep a loop busy.</summary>
public sealed class BackoffTests
{
    private const int Certain = 20;

    /// <summary>The pauses of the first ten seconds, in milliseconds.</summary>
    private static readonly int[] _pauses = [
        5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000];

    [Fact]
    public async Task A_held_due_row_costs_a_manager_seventeen_turns_in_ten_seconds()
    {
        HeldStore? held = null;
        await using var host = NewManager(inner => held = new HeldStore(inner));

        foreach (var pause in _pauses)
        {
            await PassAsync(host.Clock, pause);
        }

        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(Certain));
        held!.Turns.Should().Be(_pauses.Length + 1);
        held.Turns.Should().BeGreaterThan(10, "it polls, since no hint reports when the row is free");
    }

    [Fact]
    public async Task A_hint_ends_a_managers_pause_but_not_its_first_20_ms()
    {
        HeldStore? held = null;
        await using var host = NewManager(inner => held = new HeldStore(inner));
        foreach (var pause in _pauses)
        {
            await PassAsync(host.Clock, pause);
        }

        await host.Clock.PassAsync(TimeSpan.FromMilliseconds(Certain));
        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(1000 - Certain));
        var before = held!.Turns;

        // The new task's hint causes another turn without any delay. Then the first part of the pause follows, and
        // further hints do not shorten it.
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "a", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        await Waiting.Until(() => Task.FromResult(held.Turns == before + 1));
        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(Certain));
        for (var i = 0; i < 100; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = $"b{i}", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        }

        held.Turns.Should().Be(before + 1);
        await host.Clock.PassAsync(TimeSpan.FromMilliseconds(Certain));
        await Waiting.Until(() => Task.FromResult(held.Turns == before + 2));
    }

    [Fact]
    public async Task A_manager_that_moves_a_task_starts_over_with_the_shortest_pause()
    {
        HeldStore? held = null;
        await using var host = NewManager(inner => held = new HeldStore(inner));
        foreach (var pause in _pauses)
        {
            await PassAsync(host.Clock, pause);
        }

        held!.IsHeld = false;
        await PassAsync(host.Clock, 1000);

        // One turn that moves, and the next one that does not.
        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(_pauses[0]));
    }

    [Fact]
    public async Task A_held_queued_row_costs_an_executor_nineteen_claims_in_ten_seconds()
    {
        HeldQueue? held = null;
        await using var host = new RunningHost(
            tasks => tasks.Services.Replace(ServiceDescriptor.Singleton<ITaskQueue>(
                provider => held = new HeldQueue(
                    provider.GetRequiredService<ITaskStore>(), provider.GetRequiredService<TimeProvider>()))),
            options => options.Roles = TaskRoles.Client | TaskRoles.Executor);

        // The first poll that finds a task is followed by a claim at once: most likely that task was just queued.
        foreach (var pause in _pauses)
        {
            await PassAsync(host.Clock, pause);
        }

        await host.Clock.SleepingAsync(TimeSpan.FromMilliseconds(Certain));
        held!.Claims.Should().Be(_pauses.Length + 2);
    }

    private static RunningHost NewManager(Func<ITaskStore, ITaskStore> store) =>
        new(configure: options => options.Roles = TaskRoles.Client | TaskRoles.Manager, store: store);

    private static async Task PassAsync(TestClock clock, int pause)
    {
        await clock.PassAsync(TimeSpan.FromMilliseconds(Math.Min(pause, Certain)));
        if (pause > Certain)
        {
            await clock.PassAsync(TimeSpan.FromMilliseconds(pause - Certain));
        }
    }

    /// <summary>One task is always due. While it is held no turn moves it; afterwards one turn does, once.</summary>
    private sealed class HeldStore(ITaskStore inner) : DecoratedStore(inner)
    {
        private int _turns;

        public int Turns => Volatile.Read(ref _turns);

        public volatile bool IsHeld = true;

        public override ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken) =>
            new(TimeSpan.Zero);

        public override ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _turns);
            var isHeld = IsHeld;
            IsHeld = true;
            return new(
                isHeld
                    ? []
                    : [
                        new TaskMove
                        {
                            TaskId = "t",
                            AppName = "default",
                            JobId = "run",
                            From = TaskState.Idle,
                            To = TaskState.Queued,
                        }]);
        }
    }

    private sealed class HeldQueue(ITaskStore store, TimeProvider clock) : StoreQueue(store, clock)
    {
        private int _claims;

        public int Claims => Volatile.Read(ref _claims);

        protected override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
            ClaimRequest request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _claims);
            return new((IReadOnlyList<ExecutorTask>)[]);
        }

        protected override ValueTask<bool> HasQueuedAsync(
            ExecutorInfo executor, CancellationToken cancellationToken) => new(true);
    }
}
