using Kaiju.Tasks.Queueing;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Creation of tasks: whole batches, each item with an answer of its own.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreCreationTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>A definition without its defaults is refused together with the whole batch.</summary>
    [Fact]
    public async Task A_batch_with_an_item_that_was_not_prepared_stores_nothing()
    {
        await using var opened = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await opened.Store.CreateAsync([Checked.Definition(Task("t", 1)), Task("u", 1)], OnConflict.Fail, default));
        Assert.Null(await opened.Store.GetAsync("t", default));
    }

    /// <summary>The second task with an id in a call conflicts with the first one.</summary>
    [Fact]
    public async Task Each_item_of_a_batch_gets_its_own_answer()
    {
        await using var opened = await OpenAsync();
        var (t, u) = (Checked.Definition(Task("t", 1)), Checked.Definition(Task("u", 1)));
        var later = t with { RunAt = Start.AddDays(1) };

        var answers = await opened.Store.CreateAsync([t, t, u, later], OnConflict.Fail, default);
        Assert.Equal(
            [(
                "t",
                CreateResult.Created),
                ("t",
                CreateResult.Refused),
                ("u",
                CreateResult.Created),
                ("t",
                CreateResult.Refused)],
            answers.Select(answer => (answer.TaskId, answer.Result)));

        answers = await opened.Store.CreateAsync(
            [u, later with { Id = "v" }, t with { Id = "v" }], OnConflict.Replace, default);
        Assert.Equal(
            [("u", CreateResult.Refused, TaskState.Queued), ("v", CreateResult.Created, TaskState.Idle), (
                "v", CreateResult.Replaced, TaskState.Queued)],
            answers.Select(answer => (answer.TaskId, answer.Result, answer.State)));
    }

    /// <summary>Ten thousand tasks are created in one call, in order.</summary>
    [Fact]
    public async Task Many_tasks_are_created_in_one_call()
    {
        await using var opened = await OpenAsync();
        var tasks = Enumerable.Range(0, 10_000).Select(i => Checked.Definition(Task($"t{i:00000}", 1))).ToList();
        var answers = await opened.Store.CreateAsync(tasks, OnConflict.Fail, default);
        Assert.All(answers, answer => Assert.Equal(CreateResult.Created, answer.Result));
        var claimed = await opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = Executor, MaxTasks = 100, MaxBytes = 1_000_000 }, default);
        Assert.Equal(tasks.Take(100).Select(task => task.Id), claimed.Select(task => task.Id));
    }
}
