using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The watch that managers keep over the store.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreWatchTests(OpenStore open) : StoreSuite(open)
{
    private static readonly TimeSpan _half = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _lifetime = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan _tick = TimeSpan.FromTicks(1);

    /// <summary>The watch begins at the first call, and continues as long as there is no gap.</summary>
    [Fact]
    public async Task A_watch_without_gaps_keeps_its_beginning()
    {
        await using var opened = await OpenAsync();
        Assert.Equal(new WatchAnswer(Start, Start, null), await opened.Store.WatchAsync(default));
        for (var i = 1; i <= 12; i++)
        {
            await opened.Advance(_half);
            Assert.Equal(new WatchAnswer(Start + (i * _half), Start, null), await opened.Store.WatchAsync(default));
        }
    }

    /// <summary>
    /// A gap of more than one and a half ping intervals restarts the watch, and the new beginning is stored.
    /// </summary>
    [Fact]
    public async Task A_gap_restarts_the_watch_for_every_manager()
    {
        await using var opened = await OpenAsync();
        await opened.Store.WatchAsync(default);
        var now = await opened.Advance(TimeSpan.FromSeconds(45.1));
        Assert.Equal(now, (await opened.Store.WatchAsync(default)).Since);
        await opened.Advance(_half);
        Assert.Equal(now, (await opened.Store.WatchAsync(default)).Since);
    }

    /// <summary>
    /// The oldest ping is answered, and the time to the next duty is a lifetime after the later of ping and gap.
    /// </summary>
    [Fact]
    public async Task A_dead_executor_is_due_a_lifetime_after_the_last_gap()
    {
        await using var opened = await OpenAsync();
        await opened.Store.HeartbeatAsync(Executor.With(e => e.Id, "first"), [], default);
        await opened.Advance(TimeSpan.FromSeconds(5));
        await opened.Store.HeartbeatAsync(Executor.With(e => e.Id, "second"), [], default);
        Assert.Equal(_lifetime + _tick - TimeSpan.FromSeconds(5), await opened.Store.GetTimeToNextDutyAsync(default));

        var now = await opened.Advance(_lifetime);
        Assert.Equal(new WatchAnswer(now, now, Start), await opened.Store.WatchAsync(default));
        Assert.Equal(_lifetime + _tick, await opened.Store.GetTimeToNextDutyAsync(default));
        await opened.Advance(_half);
        Assert.Equal(_lifetime + _tick - _half, await opened.Store.GetTimeToNextDutyAsync(default));
    }

    /// <summary>
    /// An executor that was alive at the given time is not expelled, even if the step runs later.
    /// </summary>
    [Fact]
    public async Task Only_executors_dead_at_the_given_time_are_expelled()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("d", 1)), Checked.Definition(Task("l", 1))], OnConflict.Fail, default);
        var (dead, living) = (Executor.With(e => e.Id, "dead"), Executor.With(e => e.Id, "living"));
        await opened.Store.ClaimAsync(dead, ["d"], default);
        await opened.Advance(_half);
        await opened.Store.ClaimAsync(living, ["l"], default);
        var asOf = await opened.Advance(_lifetime - _half + _tick);
        await opened.Advance(_lifetime);

        Assert.Equal(
            ["d"], (await opened.Store.ExpelDeadExecutorsAsync(asOf, 10, default)).Select(move => move.TaskId));
        Assert.Equal(
            ["living"], (await opened.Store.ListExecutorsAsync(default)).Select(executor => executor.ExecutorId));
        Assert.Equal(["l"], (await opened.Store.ExpelDeadExecutorsAsync(10, default)).Select(move => move.TaskId));
    }

    /// <summary>
    /// An imported ping may be from another clock; it is never later than the store's time.
    /// </summary>
    [Fact]
    public async Task An_imported_ping_is_not_later_than_now()
    {
        await using var opened = await OpenAsync();
        var early = Start - TimeSpan.FromSeconds(5);
        await opened.Store.ImportAsync(
            [],
            [new ExecutorPing("a", early), new ExecutorPing("b", Start.AddHours(2)), new ExecutorPing(
                "c", DateTimeOffset.MaxValue)],
            default);
        Assert.Equal(
            [new ExecutorPing("a", early), new ExecutorPing("b", Start), new ExecutorPing("c", Start)],
            (await opened.Store.ListExecutorsAsync(default)).OrderBy(
                executor => executor.ExecutorId, StringComparer.Ordinal));
    }

    /// <summary>Managers that call at the same time agree, and none waits for another.</summary>
    [Fact]
    public async Task Many_managers_keep_one_watch()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 5; i++)
        {
            var answers = await System.Threading.Tasks.Task.WhenAll(
                Enumerable.Range(0, 20).Select(
                    _ => System.Threading.Tasks.Task.Run(() => opened.Store.WatchAsync(default).AsTask())));
            Assert.All(answers, answer => Assert.Equal(Start, answer.Since));
            await opened.Advance(_half);
        }
    }
}
