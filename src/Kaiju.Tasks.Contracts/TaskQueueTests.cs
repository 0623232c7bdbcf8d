using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The guarantees of a queue: order, bounds, and that waiting executors are woken.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class TaskQueueTests(OpenStore open)
{
    private static readonly DateTimeOffset _start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 100,
    };

    /// <summary>Higher priority first; among equal ones, the task that was queued first.</summary>
    [Fact]
    public async Task Tasks_are_claimed_by_priority_then_by_age()
    {
        await using var opened = await OpenAsync();
        foreach (var (
            id,
            priority,
            app) in new[] { ("old", 0, "default"),
            ("low", -1, "default"),
            ("new", 0, "other"),
            ("high", 5, "other"),
            ("unclaimed", 9, "unclaimed") })
        {
            await CreateAsync(
                opened, new TaskDefinition { Id = id, Priority = priority, AppName = app, Commands = [new("do")] });
            await opened.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(["high", "old", "new", "low"], await ClaimAsync(opened, 10, apps: ["default", "other"]));
    }

    /// <summary>A claim takes at most the given number of tasks, only of the given apps, and none twice.</summary>
    [Fact]
    public async Task A_claim_stays_within_its_number_and_its_apps()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 5; i++)
        {
            await CreateAsync(opened, new TaskDefinition { Id = $"t{i}", Commands = [new("do")] });
        }

        Assert.Equal(["t0", "t1"], await ClaimAsync(opened, 2));
        Assert.Empty(await ClaimAsync(opened, 2, apps: ["unclaimed"]));
        Assert.Equal(["t2", "t3", "t4"], await ClaimAsync(opened, 10));
        Assert.Empty(await ClaimAsync(opened, 10));
    }

    /// <summary>A claim takes at most the given number of bytes, but always one task.</summary>
    [Fact]
    public async Task A_claim_is_bounded_in_bytes_but_one_task_is_always_allowed()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 4; i++)
        {
            await CreateAsync(
                opened,
                new TaskDefinition { Id = $"t{i}", Commands = [new("do", Json.Of($"\"{new string('x', 1000)}\""))] });
        }

        Assert.Equal(["t0", "t1"], await ClaimAsync(opened, 10, bytes: 2500));
        Assert.Equal(["t2"], await ClaimAsync(opened, 10, bytes: 10));
    }

    /// <summary>The results of earlier stages count as bytes, and the claim contains them.</summary>
    [Fact]
    public async Task Earlier_results_count_as_bytes_and_come_with_a_claim()
    {
        await using var opened = await OpenAsync();
        await CreateAsync(opened, new TaskDefinition { Id = "t", Commands = [new("a"), new("b"), new("c")] });
        await CreateAsync(opened, new TaskDefinition { Id = "u", Commands = [new("a")] });
        var first = (await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 }, default))[0];
        var report = new StageReport
        {
            TaskId = "t",
            StoreKey = first.StoreKey,
            Claim = first.Claim,
            JobId = first.JobId,
            Attempt = 1,
            Stage = 0,
            Outcome = StageOutcome.Completed(Json.Of($"\"{new string('x', 1000)}\"")),
        };
        await opened.Store.RecordAsync([report], default);
        await opened.Store.SuspendExecutorAsync(_executor.Id, default);
        await opened.Store.ResetAsync("u", default);
        await opened.Store.QueueDueAsync(10, default);

        var claimed = Assert.Single(
            await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = _executor, MaxTasks = 10, MaxBytes = 500 }, default));
        Assert.Equal(("t", 1, 3, "b"), (claimed.Id, claimed.Stage, claimed.Stages, claimed.Commands[0].Method));
        Assert.Equal(
            report.Outcome is StageOutcome.Done done ? [done.Result.GetRawText()] : [], claimed.Result.Texts());
    }

    /// <summary>A duty moves at most the given number of tasks, longest due first, and answers which.</summary>
    [Fact]
    public async Task A_duty_moves_at_most_its_limit_and_answers_which()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 5; i++)
        {
            await CreateAsync(
                opened, new TaskDefinition { Id = $"t{i}", RunAt = _start.AddSeconds(i + 1), Commands = [new("do")] });
        }

        await opened.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(["t0", "t1", "t2"], (await opened.Store.QueueDueAsync(3, default)).Select(move => move.TaskId));
        Assert.Equal(["t3"], (await opened.Store.QueueDueAsync(3, default)).Select(move => move.TaskId));
        Assert.Equal(TimeSpan.FromSeconds(1), await opened.Store.GetTimeToNextDutyAsync(default));
    }

    /// <summary>A waiting executor is woken by a task, and does not wait if there is one already.</summary>
    [Fact]
    public async Task A_queued_task_ends_a_wait_even_if_it_came_before()
    {
        await using var opened = await OpenAsync();
        var waiting = opened.Queue.WaitAsync(_executor, TimeSpan.FromDays(1), default).AsTask();
        await CreateAsync(opened, new TaskDefinition { Id = "t", Commands = [new("do")] });
        await waiting.WaitAsync(_bound);

        // Claimed in between, as by an executor: a wait that finds a task again which no claim got pauses.
        Assert.Equal(["t"], await ClaimAsync(opened, 1));
        await CreateAsync(opened, new TaskDefinition { Id = "u", Commands = [new("do")] });
        await opened.Queue.WaitAsync(_executor, TimeSpan.FromDays(1), default).AsTask().WaitAsync(_bound);
    }

    /// <summary>A wait can be cancelled.</summary>
    [Fact]
    public async Task A_wait_ends_when_it_is_cancelled()
    {
        await using var opened = await OpenAsync();
        using var cancel = new CancellationTokenSource();
        var waiting = opened.Queue.WaitAsync(_executor, TimeSpan.FromDays(1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(_bound));
    }

    private static async Task CreateAsync(OpenedStore opened, TaskDefinition definition) =>
        await opened.Store.CreateAsync([Checked.Definition(definition)], OnConflict.Fail, default);

    private static async Task<string[]> ClaimAsync(
        OpenedStore opened, int most, long bytes = long.MaxValue, string[]? apps = null)
    {
        var executor = _executor.With(e => e.Apps, apps ?? ["default"]);
        return [
            .. (await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = executor, MaxTasks = most, MaxBytes = bytes },
                default)).Select(task => task.Id)];
    }

    private ValueTask<OpenedStore> OpenAsync() => open(new LifecycleRules(), _start);
}
