using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>Others do something to a task between a try whose answer was lost and the next one.</summary>
public sealed class LostAnswerTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_run_that_a_lost_reset_began_is_not_reset_again()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a", 2));
        var first = await CutMembers.ClaimAsync(rig, "a");
        await CutMembers.RecordAsync(rig, first, 0, Done("1"));
        await CutMembers.RecordAsync(rig, first, 1, Done("2"));
        ExecutorTask? second = null;
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () =>
        {
            await rig.Beside.QueueDueAsync(10, default);
            second = await CutMembers.ClaimAsync(rig, "a");
            await CutMembers.RecordAsync(rig, second, 0, Done("3"));
        };

        (await rig.Store.ResetAsync("a", default).AsTask().WaitAsync(_bound)).Should().BeTrue();

        var task = (await rig.Beside.GetAsync("a", default))!;
        task.Managed.Should().BeEquivalentTo(new { State = TaskState.Executing, Stage = 1, second!.JobId });
        (await CutMembers.RecordAsync(rig, second!, 1, Done("4"))).Should().Be(ReportAnswer.Recorded);
        (await rig.Beside.ListRunsAsync("a", default)).Select(run => run.JobId)
            .Should().Equal(second!.JobId, first.JobId);
    }

    [Fact]
    public async Task A_run_that_a_lost_reset_began_and_that_has_ended_since_is_found_among_the_earlier_ones()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Periodic("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () =>
        {
            await rig.Beside.CancelAsync("a", default);
            await rig.Beside.RestartPeriodicAsync(10, default);
        };

        (await rig.Store.ResetAsync("a", default).AsTask().WaitAsync(_bound)).Should().BeTrue();

        (await rig.Beside.ListRunsAsync("a", default)).Should().ContainSingle(
            "there was one reset, and its run was cancelled");
    }

    [Fact]
    public async Task A_lost_reset_does_not_reset_the_run_that_another_reset_began()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.ClaimedAsync(rig);
        rig.CutNext(CutMoment.After);
        var other = "";
        rig.BetweenTries = async () =>
        {
            await rig.Beside.ResetAsync("a", default);
            other = (await rig.Beside.GetAsync("a", default))!.JobId;
        };

        await FluentActions.Awaiting(() => rig.Store.ResetAsync("a", default).AsTask().WaitAsync(_bound)).Should()
            .ThrowAsync<TaskOutcomeUnknownException>();

        (await rig.Beside.GetAsync("a", default))!.JobId.Should().Be(other);
    }

    [Fact]
    public async Task A_lost_cancel_does_not_cancel_the_next_run()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Periodic("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () => await rig.Beside.RestartPeriodicAsync(10, default);

        (await rig.Store.CancelAsync("a", default).AsTask().WaitAsync(_bound)).Should().BeTrue();

        (await rig.Beside.GetAsync("a", default))!.State.Should().Be(TaskState.Idle, "the next run waits for its time");
        (await rig.Beside.ListRunsAsync("a", default)).Should().ContainSingle();
    }

    [Theory]
    [InlineData(CutMoment.After)]
    [InlineData(CutMoment.Before)]
    public async Task A_run_that_someone_else_cancelled_is_not_said_to_be_cancelled_twice(CutMoment moment)
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        rig.CutNext(moment);
        var isOther = false;
        rig.BetweenTries = async () => isOther = await rig.Beside.CancelAsync("a", default);

        var isOwn = await rig.Store.CancelAsync("a", default).AsTask().WaitAsync(_bound);

        (isOwn, isOther).Should().Be((moment == CutMoment.After, moment == CutMoment.Before));
    }

    [Fact]
    public async Task A_lost_delete_does_not_delete_a_new_task_of_the_same_id()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () => await CutMembers.AddAsync(rig, CutMembers.Define("a"));

        (await rig.Store.DeleteAsync("a", default).AsTask().WaitAsync(_bound)).Should().BeTrue();

        (await rig.Beside.GetAsync("a", default)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_lost_message_does_not_end_the_next_wait()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.WaitingAsync(rig, StageOutcome.WaitForMessage());
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = () => WaitAgainAsync(rig);

        (await rig.Store.SendMessageAsync("a", CutMembers.Json("\"mine\""), default).AsTask()
            .WaitAsync(_bound)).Should().BeTrue();

        var task = (await rig.Beside.GetAsync("a", default))!;
        task.Managed.Should().BeEquivalentTo(new { State = TaskState.Waiting, Stage = 1 });
        task.Result.Select(result => result.GetRawText()).Should().Equal("\"mine\"");
    }

    [Fact]
    public async Task A_message_that_was_not_sent_does_not_end_the_wait_after_the_one_that_it_was_for()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.WaitingAsync(rig, StageOutcome.WaitForMessage());
        rig.CutNext(CutMoment.Before);
        rig.BetweenTries = async () =>
        {
            await rig.Beside.SendMessageAsync("a", CutMembers.Json("\"another\""), default);
            await WaitAgainAsync(rig);
        };

        (await rig.Store.SendMessageAsync("a", CutMembers.Json("\"mine\""), default).AsTask()
            .WaitAsync(_bound)).Should().BeFalse();

        var task = (await rig.Beside.GetAsync("a", default))!;
        task.Managed.Should().BeEquivalentTo(new { State = TaskState.Waiting, Stage = 1 });
        task.Result.Select(result => result.GetRawText()).Should().Equal("\"another\"");
    }

    [Fact]
    public async Task A_lost_update_is_not_put_over_a_later_one()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () =>
            await rig.Beside.UpdateAsync(CutMembers.Define("a") with { Priority = 9 }, 1, default);

        await FluentActions.Awaiting(
            () => rig.Store.UpdateAsync(CutMembers.Define("a") with { Priority = 7 }, 0, default).AsTask()
                .WaitAsync(_bound))
            .Should().ThrowAsync<TaskOutcomeUnknownException>();

        var task = (await rig.Beside.GetAsync("a", default))!;
        (task.Revision, task.Definition.Priority).Should().Be((2, 9));
    }

    [Fact]
    public async Task A_lost_update_does_not_change_a_new_task_of_the_same_id()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () =>
        {
            await rig.Beside.DeleteAsync("a", default);
            await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        };

        (await rig.Store.UpdateAsync(CutMembers.Define("a") with { Priority = 7 }, 0, default).AsTask()
            .WaitAsync(_bound)).Result.Should().Be(UpdateResult.Missing);

        (await rig.Beside.GetAsync("a", default))!.Definition.Priority.Should().Be(0);
    }

    [Fact]
    public async Task A_lost_claim_that_was_taken_away_since_is_not_handed_out()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"), CutMembers.Define("b"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () => await rig.Beside.CancelAsync("a", default);

        var claimed = await rig.Store.ClaimAsync(CutRig.Executor, ["a", "b"], default).AsTask().WaitAsync(_bound);

        claimed.Should().ContainSingle().Which.Id.Should().Be("b");
        claimed[0].Claim.Should().Be((await CutMembers.HeldAsync(rig, "b")).Claim);
    }

    private static StageOutcome Done(string json) => StageOutcome.Completed(CutMembers.Json(json));

    /// <summary>The next stage waits for a message too.</summary>
    private static async Task WaitAgainAsync(CutRig rig)
    {
        await rig.Beside.QueueDueAsync(10, default);
        await CutMembers.RecordAsync(rig, await CutMembers.ClaimAsync(rig, "a"), 1, StageOutcome.WaitForMessage());
    }
}
