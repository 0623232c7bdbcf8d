using System.Collections.Concurrent;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>
/// The cost of waits for the store: one narrow query for all waits of a process, and none if a hint names another task.
/// </summary>
public sealed class WaiterHubTests
{
    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(5);

    [Fact]
    public async Task The_end_of_a_task_causes_no_query_for_waiters_of_other_tasks()
    {
        WatchedStore? watched = null;
        await using var host = NewHost(inner => watched = new WatchedStore(inner));
        await WaitForParkedAsync(host, 100);
        watched!.Questions.Clear();

        await RunAsync(host, 200);

        watched.Questions.Should().BeEmpty("each hint names the task that ended");
    }

    [Fact]
    public async Task Hints_without_names_cause_few_queries_for_all_waiters()
    {
        WatchedStore? watched = null;
        await using var host = NewHost(inner => watched = new WatchedStore(inner) { HidesNames = true });
        await WaitForParkedAsync(host, 100);
        watched!.Questions.Clear();
        var began = TimeProvider.System.GetTimestamp();

        await RunAsync(host, 200);

        var most = (int)(TimeProvider.System.GetElapsedTime(began) / _shortestPause) + 2;
        watched.Questions.Should().OnlyContain(
            question => question.Member == nameof(ITaskStore.FindEndedRunsAsync) && question.Runs == 100);
        watched.Questions.Count.Should().BeLessThanOrEqualTo(most, "each waits for the pause after the one before");
        watched.MostAtOnce.Should().Be(1);
    }

    [Fact]
    public async Task A_thousand_waiters_share_bounded_queries_and_each_is_woken()
    {
        WatchedStore? watched = null;
        await using var host = NewHost(inner => watched = new WatchedStore(inner) { HidesNames = true });
        var waiting = await WaitForParkedAsync(host, 1_200);

        await Task.WhenAll(Enumerable.Range(0, 1_200).Select(i => host.Client.CancelAsync($"parked{i}")));

        (await Task.WhenAll(waiting).Soon()).Should().OnlyContain(run => run.ExitCode == TaskExitCode.Aborted);
        watched!.Questions.Should().OnlyContain(question => question.Runs <= 500);
        watched.MostRunQuestions.Should().Be(1, "a run that has ended is read once");
    }

    [Fact]
    public async Task A_second_query_waits_for_the_answer_of_the_first()
    {
        WatchedStore? watched = null;
        var gate = new Gate();
        await using var host = NewHost(inner => watched = new WatchedStore(inner) { HidesNames = true, Gate = gate });
        var waiting = await WaitForParkedAsync(host, 2);
        watched!.Questions.Clear();
        await host.Client.CancelAsync("parked0");
        await gate.Entered;

        await host.Client.CancelAsync("parked1");
        await RunAsync(host, 20);
        watched.Questions.Should().ContainSingle();
        gate.Open();

        await Task.WhenAll(waiting).Soon();
        watched.MostAtOnce.Should().Be(1);
    }

    [Fact]
    public async Task A_failed_query_fails_its_waits()
    {
        FaultyStore? faulty = null;
        await using var host = NewHost(
            inner => faulty = new FaultyStore(new WatchedStore(inner) { HidesNames = true }));
        var waiting = await WaitForParkedAsync(host, 2);

        faulty!.FailsBefore = member => member == nameof(ITaskStore.FindEndedRunsAsync);
        await host.Client.CancelAsync("parked0");

        foreach (var wait in waiting)
        {
            await wait.Awaiting(task => task.Soon()).Should().ThrowAsync<IOException>();
        }

        faulty.FailsBefore = _ => false;
        (await host.Client.WaitAsync("parked0").Soon()).ExitCode.Should().Be(TaskExitCode.Aborted);
    }

    [Fact]
    public async Task A_query_without_an_answer_ends_its_wait_with_a_timeout_that_names_the_task()
    {
        var gate = new Gate();
        await using var host = NewHost(
            inner => new WatchedStore(inner) { HidesNames = true, Gate = gate },
            options => options.ClientTimeout = TimeSpan.FromMilliseconds(100));
        var waiting = await WaitForParkedAsync(host, 1);

        await host.Client.CancelAsync("parked0");

        (await waiting[0].Awaiting(task => task.Soon()).Should()
            .ThrowAsync<TaskStoreTimeoutException>()).Which.Operation.Should().Be("WaitAsync of task \"parked0\"");
        gate.Open();
    }

    private static RunningHost NewHost(
        Func<ITaskStore, ITaskStore> store, Action<KaijuTasksOptions>? configure = null) => new(
        tasks => tasks.AddCommand("do", () => 1),
        options =>
        {
            options.PollInterval = TimeSpan.FromMinutes(10);
            configure?.Invoke(options);
        },
        store,
        realTime: true);

    /// <summary>Waits for tasks that are never started, each after its first query.</summary>
    private static async Task<List<Task<TaskRun>>> WaitForParkedAsync(RunningHost host, int count)
    {
        var waiting = new List<Task<TaskRun>>();
        for (var i = 0; i < count; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = $"parked{i}", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
            waiting.Add(host.Client.WaitAsync($"parked{i}"));
        }

        return waiting;
    }

    /// <summary>Runs tasks one after another.</summary>
    private static async Task RunAsync(RunningHost host, int count)
    {
        var store = host.Services.GetRequiredService<MemoryTaskStore>();
        for (var i = 0; i < count; i++)
        {
            await host.Client.CreateAsync(new TaskDefinition { Id = $"t{i}", Commands = [new("do")] });
            await Waiting.Until(async () => (await store.GetAsync($"t{i}", default))!.State == TaskState.Finished);
        }
    }

    /// <summary>Counts the client's queries.</summary>
    private sealed class WatchedStore(ITaskStore inner) : DecoratedStore(inner)
    {
        private readonly ConcurrentDictionary<string, int> _runQuestions = new();
        private int _now;

        public ConcurrentQueue<(string Member, int Runs)> Questions { get; } = new();

        /// <summary>The largest number of concurrent queries for all waiters.</summary>
        public int MostAtOnce { get; private set; }

        /// <summary>The number of reads of the run that was read most often.</summary>
        public int MostRunQuestions => _runQuestions.Values.DefaultIfEmpty().Max();

        public bool HidesNames { get; init; }

        public Gate? Gate { get; init; }

        public override ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken)
        {
            Questions.Enqueue((nameof(GetAsync), 1));
            return base.GetAsync(taskId, cancellationToken);
        }

        public override ValueTask<TaskRun?> GetRunAsync(
            string taskId, string jobId, CancellationToken cancellationToken)
        {
            Questions.Enqueue((nameof(GetRunAsync), 1));
            _runQuestions.AddOrUpdate(taskId, 1, (_, count) => count + 1);
            return base.GetRunAsync(taskId, jobId, cancellationToken);
        }

        public override async ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(
            IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken)
        {
            Questions.Enqueue((nameof(FindEndedRunsAsync), runs.Count));
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
            if (Gate is not null)
            {
                await Gate.PassAsync(cancellationToken);
            }

            var ended = await base.FindEndedRunsAsync(runs, cancellationToken);
            Interlocked.Decrement(ref _now);
            return ended;
        }

        public override IDisposable Listen(Action<StoreHint> listener) =>
            base.Listen(hint => listener(HidesNames ? new StoreHint(hint.Kinds) : hint));
    }
}
