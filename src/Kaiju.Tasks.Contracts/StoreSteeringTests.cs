using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The scope of a caller.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreSteeringTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>Each list of a scope: with the task's value in it, without it, and empty.</summary>
    public static TheoryData<string, bool> Scopes => new()
    {
        { "all", true },
        { "apps:one,two", true },
        { "groups:g", true },
        { "users:u", true },
        { "apps:one groups:g users:u", true },
        { "apps:two", false },
        { "apps:", false },
        { "apps:ONE", false },
        { "groups:h", false },
        { "users:v", false },
        { "apps:one groups:g users:v", false },
    };

    /// <summary>A task outside the caller's scope is answered like a missing one, and does not change.</summary>
    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_step_reaches_only_tasks_in_the_callers_scope(string scope, bool reaches)
    {
        await using var opened = await OpenAsync();
        var (store, context) = (opened.Store, new CallContext { Actor = "me", Scope = ScopeOf(scope) });
        var definition = Checked.Definition(Task("t", 1) with { AppName = "one", Group = "g", UserId = "u" });
        await store.CreateAsync([definition], OnConflict.Fail, default);
        var changed = Checked.Definition(definition with { Description = "changed" });

        Assert.Equal(
            reaches ? UpdateResult.Updated : UpdateResult.Missing,
            (await store.UpdateAsync(changed, 0, context, default)).Result);
        Assert.Equal(reaches, await store.CancelAsync("t", context, default));
        await store.CancelAsync("t", default);
        Assert.Equal(
            reaches ? RetryResult.Retried : RetryResult.NotFound, await store.RetryAsync("t", null, context, default));
        Assert.Equal(reaches, await store.ResetAsync("t", context, default));
        Assert.Equal(
            [reaches ? CreateResult.Skipped : CreateResult.Refused],
            (await store.CreateAsync([definition], OnConflict.Skip, context, default)).Select(answer => answer.Result));
        await store.CancelAsync("t", default);
        Assert.Equal(
            [reaches ? CreateResult.Replaced : CreateResult.Refused],
            (await store.CreateAsync(
                [definition], OnConflict.Replace, context, default)).Select(answer => answer.Result));
        Assert.Equal(reaches, await store.DeleteAsync("t", context, default));

        Assert.Equal(reaches, await store.GetAsync("t", default) is null);
    }

    /// <summary>A message is received only from a caller whose scope includes the task.</summary>
    [Theory]
    [InlineData("users:u", true)]
    [InlineData("users:v", false)]
    public async Task A_message_reaches_only_tasks_in_the_callers_scope(string scope, bool reaches)
    {
        await using var opened = await OpenAsync();
        var definition = Checked.Definition(Task("t", 1) with { UserId = "u", Commands = [new MessageCommand()] });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        var claimed = Assert.Single(await opened.Store.ClaimAsync(Executor, ["t"], default));
        await RecordAsync(opened, claimed, 0, StageOutcome.WaitForMessage());

        var context = new CallContext { Scope = ScopeOf(scope) };
        Assert.Equal(reaches, await opened.Store.SendMessageAsync("t", Json.Of("1"), context, default));
        Assert.Equal(
            reaches ? TaskState.Finished : TaskState.Waiting, (await opened.Store.GetAsync("t", default))!.State);
    }

    /// <summary>Tasks before the id outside the scope stay created, in one call and in many.</summary>
    [Fact]
    public async Task An_id_out_of_scope_refuses_only_its_own_item()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync(
            [Checked.Definition(Task("other", 1) with { UserId = "v" })], OnConflict.Fail, default);
        var tasks = new[] { "a", "other", "b" }.Select(id => Checked.Definition(Task(id, 1) with { UserId = "u" }))
            .ToList();
        var context = new CallContext { Scope = ScopeOf("users:u") };

        var answers = await opened.Store.CreateAsync(tasks, OnConflict.Skip, context, default);

        Assert.Equal(
            [CreateResult.Created, CreateResult.Refused, CreateResult.Created],
            answers.Select(answer => answer.Result));
        Assert.Equal("v", (await opened.Store.GetAsync("other", default))!.Definition.UserId);
    }

    private static TaskScope? ScopeOf(string text)
    {
        var lists = text.Split(' ').Where(list => list != "all").Select(list => list.Split(':'))
            .ToDictionary(list => list[0], list => list[1].Split(',', StringSplitOptions.RemoveEmptyEntries));
        return lists.Count == 0
            ? null
            : new TaskScope
            {
                Apps = lists.GetValueOrDefault("apps"),
                Groups = lists.GetValueOrDefault("groups"),
                Users = lists.GetValueOrDefault("users"),
            };
    }
}
