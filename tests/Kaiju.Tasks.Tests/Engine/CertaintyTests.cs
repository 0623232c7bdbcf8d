using System.Collections.Concurrent;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>
/// No stage begins under a claim that no recent ping confirms: another executor may hold it and have recorded the
/// stage.
/// </summary>
public sealed class CertaintyTests : IAsyncDisposable
{
    private static readonly TimeSpan _lifetime = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan _moment = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<string> _begun = [];
    private readonly TaskCompletionSource _twoBegun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SuspendableClock _clock = new();
    private readonly FreezingStore _store;
    private readonly TaskTestHost _host;

    public CertaintyTests()
    {
        FreezingStore? store = null;
        _host = new TaskTestHost(tasks =>
        {
            tasks.AddCommand("a", () => Begin("a")).AddCommand("b", () => Begin("b"));
            tasks.Services.AddSingleton(
                services => store ??= new FreezingStore(services.GetRequiredService<MemoryTaskStore>()));
            tasks.Services.AddSingleton<ITaskStore>(services => services.GetRequiredService<FreezingStore>());
            tasks.Services.AddSingleton<ITaskQueue>(
                services => new FreezingQueue(services.GetRequiredService<FreezingStore>()));
        }, clock: _clock);
        _ = _host.Store;
        _store = store!;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task After_a_freeze_the_executor_asks_before_the_next_stage()
    {
        await CreateAsync("t");
        _store.AfterRecord = async inner =>
        {
            _host.Clock.Advance(_lifetime + _moment);
            await LoseAsync(inner, "t", 1);
        };

        await ExecuteAsync();

        _begun.Should().Equal("a");
        (await _host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_claim_check_does_not_extend_the_lifetime_of_its_executor()
    {
        await CreateAsync("t");
        _store.AfterRecord = async inner =>
        {
            _host.Clock.Advance(_lifetime - _moment);
            await _host.Executor.CheckClaimsAsync(default);
            _host.Clock.Advance(_moment * 2);
            await LoseAsync(inner, "t", 1);
        };

        await ExecuteAsync();

        _begun.Should().Equal("a");
    }

    [Fact]
    public async Task A_claim_whose_answer_is_late_is_asked_about_before_its_first_stage()
    {
        await CreateAsync("t");
        _store.AfterClaim = async inner =>
        {
            _host.Clock.Advance(_lifetime + _moment);
            await LoseAsync(inner, "t", 2);

            // A ping from before the executor knew of this claim.
            await _host.Executor.HeartbeatAsync(default);
        };

        await ExecuteAsync();

        _begun.Should().BeEmpty();
        (await _host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_ping_renews_every_claim_it_asks_about_and_the_runs_continue()
    {
        await CreateAsync("t");
        await CreateAsync("u");
        _store.AfterRecord = async inner =>
        {
            // Both tasks run, so that one ping names both.
            await _twoBegun.Task.Soon();
            _host.Clock.Advance(_lifetime + _moment);
        };

        await ExecuteAsync();

        _begun.Should().BeEquivalentTo("a", "b", "a", "b");
        _store.Pings.Should().Be(2, "one before the claim, and one for both");
    }

    [Fact]
    public async Task After_its_machine_was_suspended_the_executor_asks_before_the_next_stage()
    {
        await CreateAsync("t");
        _store.AfterRecord = async inner =>
        {
            var before = _clock.GetTimestamp();
            _clock.Suspend(_lifetime + _moment);
            _clock.GetElapsedTime(before).Should().Be(TimeSpan.Zero, "the monotonic clock stands still");
            await LoseAsync(inner, "t", 1);
        };

        await ExecuteAsync();

        _begun.Should().Equal("a");
        (await _host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task An_executor_whose_machine_was_suspended_pings_before_it_claims()
    {
        await _host.Executor.Claimer.ClaimAsync(default);
        _clock.Suspend(_lifetime + _moment);

        await _host.Executor.Claimer.ClaimAsync(default);

        _store.Pings.Should().Be(2);
    }

    [Fact]
    public async Task A_wall_clock_that_is_put_back_does_not_make_a_ping_younger()
    {
        await CreateAsync("t");
        _store.AfterRecord = inner =>
        {
            _clock.SetWallClock(-TimeSpan.FromHours(1));
            _host.Clock.Advance(_lifetime + _moment);
            return Task.CompletedTask;
        };

        await ExecuteAsync();

        _store.Pings.Should().Be(2);
    }

    [Fact]
    public async Task The_executor_asks_half_an_interval_before_it_may_be_expelled()
    {
        await CreateAsync("t");
        _store.AfterRecord = inner =>
        {
            _host.Clock.Advance(_lifetime - (_host.Options.PingInterval / 2));
            return Task.CompletedTask;
        };

        await ExecuteAsync();

        _store.Pings.Should().Be(2);
    }

    [Fact]
    public async Task A_ping_counts_from_its_start_and_not_from_its_answer()
    {
        await CreateAsync("t");
        _store.AfterRecord = inner =>
        {
            _host.Clock.Advance(_lifetime);

            // The store recorded the ping on arrival; its answer takes as long as an executor may be silent.
            _store.AfterPing = () => _host.Clock.Advance(_lifetime);
            return Task.CompletedTask;
        };

        await ExecuteAsync();

        _begun.Should().Equal("a", "b");
        _store.Pings.Should().Be(
            3, "one before the claim, one whose answer is too late to count, and another one");
    }

    private async Task ExecuteAsync()
    {
        await _host.Executor.Claimer.ClaimAsync(default);
        await _host.Executor.WhenIdleAsync();
    }

    private void Begin(string command)
    {
        _begun.Enqueue(command);
        if (_begun.Count == 2)
        {
            _twoBegun.TrySetResult();
        }
    }

    private async Task CreateAsync(string id) =>
        await _host.Client.CreateAsync(new TaskDefinition { Id = id, Commands = [new("a"), new("b")] });

    /// <summary>The executor is expelled, and another one runs the remaining stages.</summary>
    private static async Task LoseAsync(ITaskStore inner, string id, int stages)
    {
        (await inner.ExpelDeadExecutorsAsync(10, default)).Should().ContainSingle();
        await inner.QueueDueAsync(10, default);
        var other = (await inner.ClaimAsync(ByHand.Executor, [id], default))[0];
        for (var stage = 2 - stages; stage < 2; stage++)
        {
            await inner.RecordAsync([ByHand.ReportOf(other, ByHand.Result("2"), stage)], default);
        }
    }

    private sealed class FreezingStore(MemoryTaskStore inner) : DecoratedStore(inner)
    {
        public Func<ITaskStore, Task>? AfterRecord { get; set; }

        public Func<ITaskStore, Task>? AfterClaim { get; set; }

        public Action? AfterPing { get; set; }

        public int Pings { get; private set; }

        public MemoryTaskStore Inner => inner;

        public override async ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
            IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
        {
            var answers = await inner.RecordAsync(reports, cancellationToken);
            if (AfterRecord is { } freeze)
            {
                AfterRecord = null;
                await freeze(inner);
            }

            return answers;
        }

        public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
            ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
        {
            Pings++;
            var lost = await base.HeartbeatAsync(executor, claims, cancellationToken);
            var after = AfterPing;
            AfterPing = null;
            after?.Invoke();
            return lost;
        }
    }

    private sealed class FreezingQueue(FreezingStore store) : ITaskQueue
    {
        public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => default;

        public async ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
            ClaimRequest request, CancellationToken cancellationToken)
        {
            var tasks = await store.Inner.Executors.ClaimNextAsync(request, cancellationToken);
            if (store.AfterClaim is { } freeze)
            {
                store.AfterClaim = null;
                await freeze(store.Inner);
            }

            return tasks;
        }

        public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
            default;
    }
}
