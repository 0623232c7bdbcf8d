using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>Others change a task between a try whose answer was lost and the next one.</summary>
public sealed class LostAnswerTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_reset_whose_answer_was_lost_does_not_reset_its_own_run()
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
    public async Task A_reset_whose_answer_was_lost_finds_its_run_among_the_earlier_ones()
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
    public async Task A_reset_whose_answer_was_lost_does_not_reset_the_run_of_another_reset()
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
    public async Task A_cancel_whose_answer_was_lost_does_not_cancel_the_next_run()
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
    public async Task Only_one_of_two_cancels_is_answered_with_true(CutMoment moment)
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
    public async Task A_delete_whose_answer_was_lost_does_not_delete_a_new_task_of_the_same_id()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        rig.CutNext(CutMoment.After);
        rig.BetweenTries = async () => await CutMembers.AddAsync(rig, CutMembers.Define("a"));

        (await rig.Store.DeleteAsync("a", default).AsTask().WaitAsync(_bound)).Should().BeTrue();

        (await rig.Beside.GetAsync("a", default)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_message_whose_answer_was_lost_does_not_end_the_next_wait()
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
    public async Task A_message_that_was_not_sent_does_not_end_the_wait_after_its_own()
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
    public async Task An_update_whose_answer_was_lost_does_not_overwrite_a_later_one()
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
    public async Task An_update_whose_answer_was_lost_does_not_change_a_new_task_of_the_same_id()
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
    public async Task A_claim_whose_answer_was_lost_is_not_returned_after_it_was_taken_away()
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
