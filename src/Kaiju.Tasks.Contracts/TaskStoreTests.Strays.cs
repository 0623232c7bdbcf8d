using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <content>Claims that an executor holds without knowing of them.</content>
public abstract partial class TaskStoreTests
{
    /// <summary>What an executor holds and does not list is found, and given back claim by claim; nothing else is touched.</summary>
    [Fact]
    public async Task Stray_claims_are_found_and_given_back_one_by_one()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([.. "abcd".Select(id => Checked.Definition(Task($"{id}", 2)))], OnConflict.Fail, default);
        var own = (await opened.Store.ClaimAsync(_executor, ["a", "b", "c"], default)).ToDictionary(task => task.Id, task => new HeldClaim(task.Id, task.Claim));
        var other = Assert.Single(await opened.Store.ClaimAsync(_executor with { Id = "other" }, ["d"], default));

        Assert.Equal([own["b"], own["c"]], (await opened.Store.FindStrayClaimsAsync(_executor.Id, [own["a"]], 10, default)).OrderBy(claim => claim.TaskId, StringComparer.Ordinal));
        Assert.Single(await opened.Store.FindStrayClaimsAsync(_executor.Id, [], 1, default));
        Assert.Empty(await opened.Store.FindStrayClaimsAsync(_executor.Id, [.. own.Values], 10, default));
        Assert.Empty(await opened.Store.FindStrayClaimsAsync("nobody", [], 10, default));

        HeldClaim[] asked = [own["b"], own["c"] with { Claim = own["a"].Claim }, new HeldClaim("d", other.Claim), new HeldClaim("none", Guid.Empty)];
        Assert.Equal([new TaskMove("b", "default", (await opened.Store.GetAsync("b", default))!.JobId, TaskState.Executed, TaskState.Suspended)], await opened.Store.GiveBackClaimsAsync(_executor.Id, asked, default));
        Assert.Empty(await opened.Store.GiveBackClaimsAsync(_executor.Id, asked, default));
        Assert.Equal(0, (await opened.Store.GetAsync("b", default))!.Managed.Interruptions);
        Assert.Equal([TaskState.Executed, TaskState.Executed, TaskState.Executed], await System.Threading.Tasks.Task.WhenAll("acd".Select(async id => (await opened.Store.GetAsync($"{id}", default))!.State)));
    }
}
