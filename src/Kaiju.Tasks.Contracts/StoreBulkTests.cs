using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Changes of many tasks.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreBulkTests(OpenStore open) : StoreSuite(open)
{
    private const int Count = 7;

    private static readonly TaskQuery _failed = new() { State = TaskState.Failed, IsFinal = true, AppName = "default" };

    /// <summary>Each order and each limit visits every task once.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    [InlineData(Count, false)]
    [InlineData(100, true)]
    public async Task Every_task_is_visited_once(int limit, bool newestFirst)
    {
        await using var opened = await OpenAsync();
        await FailAsync(opened);
        var query = new TaskQuery { State = TaskState.Failed, NewestFirst = newestFirst };

        var total = await ChangeAsync(opened, BulkVerb.Retry, query, limit);

        Assert.Equal((Count, Count), total);
        Assert.Equal(Count, (await ListAsync(opened, new TaskQuery { State = TaskState.Queued })).Count);
    }

    /// <summary>A task that failed again after the operation began is not visited a second time.</summary>
    [Fact]
    public async Task A_task_that_changed_since_the_start_is_left_out()
    {
        await using var opened = await OpenAsync();
        await FailAsync(opened);
        var first = await opened.Store.ChangeManyAsync(RequestOf(BulkVerb.Retry, _failed, 2), default);
        await opened.Advance(TimeSpan.FromSeconds(1));
        await opened.Store.CancelAsync("t0", default);
        Assert.Equal(RetryResult.Retried, await opened.Store.RetryAsync("t5", default));
        await opened.Store.CancelAsync("t5", default);

        var again = await opened.Store.ChangeManyAsync(
            RequestOf(BulkVerb.Retry, _failed, 100, started: first.Started), default);

        Assert.Equal((4, 4), (again.Matched, again.Done));
        var left = await ListAsync(opened, _failed);
        Assert.Equal(["t0", "t5"], left.Select(task => task.Id));
    }

    /// <summary>A refused task is counted and does not affect the others.</summary>
    [Theory]
    [InlineData(BulkVerb.Retry, 1)]
    [InlineData(BulkVerb.Cancel, 2)]
    [InlineData(BulkVerb.Delete, 3)]
    public async Task A_task_that_may_not_be_changed_is_counted(BulkVerb verb, int done)
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [
                .. new[] { "a", "b", "c" }.Select(id => Checked.Definition(Task(id, 1) with { GroupId = "abc" })),
                Checked.Definition(Task("other", 1)),
            ],
            OnConflict.Fail,
            default);
        await opened.Store.CancelAsync("b", default);
        var claimed = Assert.Single(await opened.Store.ClaimAsync(Executor, ["c"], default));
        await opened.Advance(TimeSpan.FromSeconds(1));

        var total = await ChangeAsync(opened, verb, new TaskQuery { GroupId = "abc" }, 10);

        Assert.Equal((3, done), total);
        Assert.Equal(TaskState.Queued, (await opened.Store.GetAsync("other", default))!.State);
        Assert.Equal(
            verb == BulkVerb.Retry ? [] : [claimed.Claim],
            await opened.Store.FindLostClaimsAsync([new HeldClaim("c", claimed.Claim)], default));
        Assert.Equal(verb == BulkVerb.Delete, await opened.Store.GetAsync("a", default) is null);
    }

    /// <summary>A dry run counts and changes nothing.</summary>
    [Theory]
    [InlineData(BulkVerb.Retry)]
    [InlineData(BulkVerb.Delete)]
    public async Task A_dry_run_changes_nothing(BulkVerb verb)
    {
        await using var opened = await OpenAsync();
        await FailAsync(opened);

        var answer = await opened.Store.ChangeManyAsync(RequestOf(verb, _failed, 100, dryRun: true), default);

        Assert.Equal((Count, 0, null), (answer.Matched, answer.Done, answer.Next));
        Assert.Equal(Count, (await ListAsync(opened, _failed)).Count);
    }

    /// <summary>Tasks outside the caller's scope are neither counted nor changed.</summary>
    [Theory]
    [InlineData(BulkVerb.Retry, false)]
    [InlineData(BulkVerb.Cancel, false)]
    [InlineData(BulkVerb.Delete, false)]
    [InlineData(BulkVerb.Delete, true)]
    public async Task Tasks_outside_the_scope_are_left_out(BulkVerb verb, bool dryRun)
    {
        await using var opened = await OpenAsync();
        await FailAsync(opened);
        if (verb == BulkVerb.Cancel)
        {
            await ChangeAsync(opened, BulkVerb.Retry, _failed, 100);
            await opened.Advance(TimeSpan.FromSeconds(1));
        }

        var context = new CallContext { Scope = new TaskScope { Users = ["even"] } };
        var query = new TaskQuery { AppName = "default" };
        var before = (await ListAsync(opened, query)).ConvertAll(task => task.ToJson());

        var answer = await opened.Store.ChangeManyAsync(RequestOf(verb, query, 100, dryRun), context, default);

        Assert.Equal((4, dryRun ? 0 : 4), (answer.Matched, answer.Done));
        var unchanged = (await ListAsync(opened, query)).Select(task => task.ToJson()).Intersect(before);
        Assert.Equal(dryRun ? Count : 3, unchanged.Count());
    }

    /// <summary>A query by method is compared with the stage at which each task is.</summary>
    [Fact]
    public async Task A_query_by_method_selects_the_tasks()
    {
        await using var opened = await OpenAsync();
        await FailAsync(opened);
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("other", 1) with { Commands = [new("other")] })], OnConflict.Fail, default);
        await opened.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal((1, 1), await ChangeAsync(opened, BulkVerb.Cancel, new TaskQuery { Method = "other" }, 3));
    }

    private static BulkRequest RequestOf(
        BulkVerb verb, TaskQuery query, int limit, bool dryRun = false, DateTimeOffset? started = null) => new()
        {
            Verb = verb,
            Query = query,
            Limit = limit,
            DryRun = dryRun,
            Started = started,
        };

    /// <summary>Creates tasks that have failed for good a second ago.</summary>
    private static async Task FailAsync(OpenedStore opened)
    {
        for (var place = 0; place < Count; place++)
        {
            var task = Task($"t{place}", 1) with { UserId = place % 2 == 0 ? "even" : "odd" };
            await opened.Store.CreateAsync([Checked.Definition(task)], OnConflict.Fail, default);
            await opened.Store.CancelAsync(task.Id!, default);
        }

        await opened.Advance(TimeSpan.FromSeconds(1));
    }

    private static async Task<(int Matched, int Done)> ChangeAsync(
        OpenedStore opened, BulkVerb verb, TaskQuery query, int limit)
    {
        var (matched, done) = (0, 0);
        var answer = default(BulkAnswer?);
        do
        {
            var request = new BulkRequest
            {
                Verb = verb,
                Query = query,
                Limit = limit,
                After = answer?.Next,
                Started = answer?.Started,
            };
            var step = await opened.Store.ChangeManyAsync(request, default);
            (matched, done, answer) = (matched + step.Matched, done + step.Done, step);
        }
        while (answer?.Next is not null);
        return (matched, done);
    }
}
