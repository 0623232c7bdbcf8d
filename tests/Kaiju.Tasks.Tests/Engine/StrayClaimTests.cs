using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>A claim that the store commits after its executor has abandoned it and searched for its tasks.</summary>
public sealed class StrayClaimTests : IAsyncDisposable
{
    private readonly LateQueue _queue;
    private readonly TaskTestHost _host;
    private int _runs;

    public StrayClaimTests()
    {
        LateQueue? queue = null;
        _host = new TaskTestHost(tasks =>
        {
            tasks.AddCommand("count", () => Interlocked.Increment(ref _runs));
            tasks.Services.AddSingleton<ITaskQueue>(
                services => queue ??= new LateQueue(services.GetRequiredService<MemoryTaskStore>()));
        });
        _ = _host.Executor;
        _queue = queue!;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_claim_that_commits_after_the_search_is_released_and_its_tasks_run()
    {
        await CreateAsync("a", "b", "c");
        _queue.Loses = true;
        await FluentActions.Awaiting(() => _host.Executor.Claimer.ClaimAsync(default)).Should()
            .ThrowAsync<IOException>();

        // The uncommitted claim locks the rows: the search sees nothing, and the next claim skips them.
        (await _host.Executor.Claimer.ClaimAsync(default)).Should().Be(0);
        await _queue.CommitAsync();
        (await StatesAsync()).Should().Equal(TaskState.Executing, TaskState.Executing, TaskState.Executing);

        (await PingAsync()).Should().Be(0, "a new claim may still be on its way");
        (await PingAsync()).Should().Be(3);
        await _host.RunUntilIdleAsync();

        (await StatesAsync()).Should().Equal(TaskState.Finished, TaskState.Finished, TaskState.Finished);
        _runs.Should().Be(3);
        (await _host.GetAsync("a")).Should().Match<TaskRecord>(
            task => task.Managed.Interruptions == 0 && task.Retries == 0);
    }

    [Fact]
    public async Task A_claim_whose_answer_is_on_its_way_is_not_released()
    {
        await CreateAsync("a");
        _queue.Holds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var claiming = _host.Executor.Claimer.ClaimAsync(default);

        for (var i = 0; i < 5; i++)
        {
            (await PingAsync()).Should().Be(0);
        }

        _queue.Holds.SetResult();
        await claiming.Soon();
        await _host.Executor.WhenIdleAsync().Soon();
        (await _host.GetAsync("a")).State.Should().Be(TaskState.Finished);
        _runs.Should().Be(1);
    }

    [Fact]
    public async Task A_run_that_began_between_two_searches_is_not_released()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks =>
        {
            tasks.AddCommand("slow", gate.PassAsync);
            tasks.Services.AddSingleton<LateQueue>();
            tasks.Services.AddSingleton<ITaskQueue>(services => services.GetRequiredService<LateQueue>());
        });
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", MaxExecTimeout = TimeSpan.FromHours(1), Commands = [new("slow")] });
        var queue = host.Services.GetRequiredService<LateQueue>();
        queue.Holds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var claiming = host.Executor.Claimer.ClaimAsync(default);
        await host.Executor.GiveBackStraysAsync(default);
        queue.Holds.SetResult();
        await claiming.Soon();
        await gate.Entered;

        (await host.Executor.GiveBackStraysAsync(default)).Should().Be(0);
        (await host.Executor.GiveBackStraysAsync(default)).Should().Be(0);

        gate.Open();
        await host.Executor.WhenIdleAsync().Soon();
        (await host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task Another_executors_claims_are_left_alone()
    {
        await CreateAsync("a");
        await _host.ClaimByHandAsync("a");

        for (var i = 0; i < 3; i++)
        {
            (await PingAsync()).Should().Be(0);
        }

        (await _host.GetAsync("a")).State.Should().Be(TaskState.Executing);
    }

    private async Task CreateAsync(params string[] ids)
    {
        foreach (var id in ids)
        {
            await _host.Client.CreateAsync(
                new TaskDefinition { Id = id, MaxExecTimeout = TimeSpan.FromHours(1), Commands = [new("count")] });
        }
    }

    private async Task<TaskState[]> StatesAsync() =>
        await Task.WhenAll(new[] { "a", "b", "c" }.Select(async id => (await _host.GetAsync(id)).State));

    /// <summary>A ping and the search that follows it, one interval after the previous one.</summary>
    private async Task<int> PingAsync()
    {
        _host.Clock.Advance(_host.Options.PingInterval);
        await _host.Executor.HeartbeatAsync(default);
        return await _host.Executor.GiveBackStraysAsync(default);
    }

    /// <summary>Claims from the store and answers late or never.</summary>
    private sealed class LateQueue(MemoryTaskStore store) : ITaskQueue
    {
        private ClaimRequest? _lost;

        /// <summary>The caller of the next claim cancels it before it commits.</summary>
        public bool Loses { get; set; }

        /// <summary>The signal that the answers of claims wait for.</summary>
        public TaskCompletionSource? Holds { get; set; }

        public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) => default;

        public async ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
            ClaimRequest request, CancellationToken cancellationToken)
        {
            if (Loses)
            {
                (Loses, _lost) = (false, request);
                throw new IOException("The connection broke.");
            }

            if (_lost is not null)
            {
                return [];
            }

            var tasks = await store.Executors.ClaimNextAsync(request, cancellationToken);
            await (Holds?.Task ?? Task.CompletedTask);
            return tasks;
        }

        public async Task CommitAsync()
        {
            await store.Executors.ClaimNextAsync(_lost!.Value, default);
            _lost = null;
        }

        public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
            default;
    }
}
