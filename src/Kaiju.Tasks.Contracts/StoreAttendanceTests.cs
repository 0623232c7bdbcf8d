using Kaiju.Tasks.Lifecycle;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>How a store shows unattended work, and the moves that are worth a log line.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreAttendanceTests(OpenStore open) : StoreSuite(open)
{
    private static readonly TimeSpan _tick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    /// <summary>An empty store has no unattended work, and shows the last watch of a manager.</summary>
    [Fact]
    public async Task The_last_watch_of_a_manager_is_shown()
    {
        await using var opened = await OpenAsync();
        Assert.Null((await opened.Store.FindUnattendedAsync(_minute, default)).LastWatch);
        await opened.Store.WatchAsync(default);
        var now = await opened.Advance(_minute);

        var found = await opened.Store.FindUnattendedAsync(_minute, default);

        Assert.Equal((now, Start, false, 0), (found.Now, found.LastWatch, found.HasDuty, found.Apps.Count));
    }

    /// <summary>
    /// Apps are in order. An app is left out if one of its tasks runs, if its first task is young, or if none may run.
    /// </summary>
    [Fact]
    public async Task An_app_is_unattended_if_its_first_task_waits_long_and_no_task_runs()
    {
        await using var opened = await OpenAsync();
        await CreateAsync(
            opened,
            Task("z", 1) with { AppName = "waits, too" },
            Task("a1", 1) with { AppName = "waits" },
            Task("a2", 1) with { AppName = "waits" },
            Task("off", 1) with { AppName = "disabled", Enabled = false },
            Task("later", 1) with { AppName = "later", RunAt = Start + TimeSpan.FromDays(1) },
            Task("b1", 1) with { AppName = "runs" },
            Task("b2", 1) with { AppName = "runs" });
        await opened.Store.ClaimAsync(Executor.With(e => e.Apps, ["runs"]), ["b1"], default);
        await opened.Advance(_minute - _tick);
        await CreateAsync(opened, Task("c", 1) with { AppName = "young" });

        Assert.Empty((await opened.Store.FindUnattendedAsync(_minute, default)).Apps);
        await opened.Advance(_tick);

        Assert.Equal(["waits", "waits, too"], (await opened.Store.FindUnattendedAsync(_minute, default)).Apps);
        await opened.Store.ClaimAsync(Executor.With(e => e.Apps, ["waits"]), ["a1"], default);
        Assert.Equal(["waits, too"], (await opened.Store.FindUnattendedAsync(_minute, default)).Apps);
    }

    /// <summary>Each kind of duty counts once it has been due for the given time.</summary>
    [Theory]
    [InlineData("queue")]
    [InlineData("wake")]
    [InlineData("retry")]
    [InlineData("restart")]
    [InlineData("abort")]
    public async Task A_duty_is_unattended_once_it_was_due_for_the_given_time(string duty)
    {
        await using var opened = await OpenAsync();
        var soon = TimeSpan.FromSeconds(30);

        // After a missed deadline, the executor has a while to abort the run; only then it is a manager's duty.
        var overdue = duty == "abort" ? new LifecycleRules().AbortGrace + _tick : TimeSpan.Zero;
        var definition = Checked.Definition(duty switch
        {
            "queue" => Task("t", 1) with { RunAt = Start + soon },
            "retry" => Task("t", 1) with { MaxRetries = 1, RetryDelay = soon },
            "restart" => Task("t", 1) with { Cron = "* * * * *", RunAt = Start },
            _ => Task("t", 1) with { MaxExecTimeout = soon },
        });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        if (duty == "restart")
        {
            await opened.Store.QueueDueAsync(1, default);
            soon = TimeSpan.Zero;
        }

        var claimed = await opened.Store.ClaimAsync(Executor, ["t"], default);
        StageOutcome? outcome = duty switch
        {
            "wake" => StageOutcome.WaitFor(soon),
            "retry" => StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "It failed.")),
            "restart" => StageOutcome.Completed(Json.Of("1")),
            _ => null,
        };
        if (outcome is not null)
        {
            await RecordAsync(opened, Assert.Single(claimed), 0, outcome);
        }

        await opened.Advance(soon + overdue + _minute - _tick);
        Assert.False((await opened.Store.FindUnattendedAsync(_minute, default)).HasDuty);
        await opened.Advance(_tick);
        Assert.True((await opened.Store.FindUnattendedAsync(_minute, default)).HasDuty);
    }

    /// <summary>The move of a task to FAILED has the reason and the time of the retry.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_move_to_failed_has_the_reason_and_the_time_of_the_retry(int maxRetries)
    {
        await using var opened = await OpenAsync();
        var definition = Task("t", 1) with { MaxExecTimeout = _minute, MaxRetries = maxRetries, RetryDelay = _minute };
        await CreateAsync(opened, definition);
        await opened.Store.ClaimAsync(Executor, ["t"], default);
        await opened.Advance(_minute * 2);

        var move = Assert.Single(await opened.Store.AbortOverdueAsync(10, default));

        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal((TaskState.Failed, task.RetryAt, task.Error!.Message), (move.To, move.RetryAt, move.Reason));
        Assert.Equal(maxRetries == 0, move.RetryAt is null);
    }

    private static async Task CreateAsync(OpenedStore opened, params TaskDefinition[] definitions) =>
        await opened.Store.CreateAsync([.. definitions.Select(Checked.Definition)], OnConflict.Fail, default);
}
