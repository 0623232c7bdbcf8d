using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>Only the run's current owner may write, and each report counts once.</summary>
public sealed class FenceTests : IAsyncDisposable
{
    private readonly TaskTestHost _host = new(tasks => tasks.AddCommand("a", () => "a").AddCommand("b", () => "b"));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_stale_executor_cannot_record_a_stage()
    {
        await CreateAsync();
        var stale = await _host.ClaimByHandAsync("t");
        await MissPingsAsync();
        (await _host.GetAsync("t")).State.Should().Be(TaskState.Queued, "the executor is dead");

        (await _host.ReportByHandAsync(stale, ByHand.Result("\"stale\""))).Should().Be(ReportAnswer.Superseded);
        var second = await _host.ClaimByHandAsync("t");
        (await _host.ReportByHandAsync(stale, ByHand.Result("\"stale\""))).Should().Be(ReportAnswer.Superseded);
        (await _host.ReportByHandAsync(stale, ByHand.Failure())).Should().Be(ReportAnswer.Superseded);
        (await _host.ReportByHandAsync(
            stale, StageOutcome.WaitFor(TimeSpan.FromSeconds(1)))).Should().Be(ReportAnswer.Superseded);

        (await _host.ReportByHandAsync(second, ByHand.Result("\"fresh\""))).Should().Be(ReportAnswer.Recorded);
        (await _host.GetAsync("t")).Result.Texts().Should().Equal("\"fresh\"");
    }

    [Fact]
    public async Task The_same_executor_is_fenced_from_its_own_earlier_claim()
    {
        await CreateAsync();
        var first = await _host.ClaimByHandAsync("t");
        await _host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
        await _host.Manager.TickAsync(default);
        var second = await _host.ClaimByHandAsync("t");

        second.Claim.Should().NotBe(first.Claim);
        (await _host.ReportByHandAsync(first, ByHand.Result("1"))).Should().Be(ReportAnswer.Superseded);
    }

    [Theory]
    [InlineData(ReportKind.Completed)]
    [InlineData(ReportKind.Failed)]
    [InlineData(ReportKind.Waiting)]
    public async Task The_same_report_delivered_twice_is_recorded_once(ReportKind kind)
    {
        await CreateAsync();
        var task = await _host.ClaimByHandAsync("t");
        var outcome = kind switch
        {
            ReportKind.Completed => ByHand.Result("1"),
            ReportKind.Failed => ByHand.Failure(),
            _ => StageOutcome.WaitForMessage(),
        };

        (await _host.ReportByHandAsync(task, outcome)).Should().Be(ReportAnswer.Recorded);
        var after = (await _host.GetAsync("t")).ToJson();
        (await _host.ReportByHandAsync(task, outcome)).Should().Be(
            ReportAnswer.Recorded, "an answer that was lost is given again");

        (await _host.GetAsync("t")).ToJson().Should().Be(after);
    }

    [Fact]
    public async Task A_recorded_report_is_recognized_even_after_later_stages()
    {
        await CreateAsync();
        var first = await _host.ClaimByHandAsync("t");
        await _host.ReportByHandAsync(first, ByHand.Result("1"));
        await MissPingsAsync();
        var second = await _host.ClaimByHandAsync("t");
        await _host.ReportByHandAsync(second, ByHand.Result("2"));

        (await _host.ReportByHandAsync(first, ByHand.Result("1"))).Should().Be(ReportAnswer.Recorded);
        (await _host.ReportByHandAsync(first, ByHand.Result("1"), stage: 1)).Should().Be(ReportAnswer.Superseded);
        (await _host.GetAsync("t")).Result.Texts().Should().Equal("1", "2");
    }

    [Fact]
    public async Task A_stage_cannot_be_skipped()
    {
        await CreateAsync();
        var task = await _host.ClaimByHandAsync("t");

        (await _host.ReportByHandAsync(task, ByHand.Result("2"), stage: 1)).Should().Be(ReportAnswer.Superseded);
        (await _host.GetAsync("t")).Result.Should().BeEmpty();
    }

    [Fact]
    public async Task A_recorded_stage_is_not_run_again()
    {
        await CreateAsync();
        var first = await _host.ClaimByHandAsync("t");
        await _host.ReportByHandAsync(first, ByHand.Result("\"by hand\""));
        await MissPingsAsync();
        await _host.RunUntilIdleAsync();

        var done = await _host.GetAsync("t");
        done.State.Should().Be(TaskState.Finished);
        done.Result.Texts().Should().Equal("\"by hand\"", "\"b\"");
    }

    [Fact]
    public async Task One_bad_report_leaves_the_others_of_its_batch_alone()
    {
        await CreateAsync();
        await CreateAsync("u");
        var t = await _host.ClaimByHandAsync("t");
        var u = await _host.ClaimByHandAsync("u");

        var answers = await _host.Store.RecordAsync(
            [
                ByHand.ReportOf(t, ByHand.Result("1")).With(r => r.Claim, Guid.NewGuid()),
                ByHand.ReportOf(t, ByHand.Result("1")).With(r => r.TaskId, "nobody"),
                ByHand.ReportOf(u, ByHand.Result("1")),
            ],
            default);

        answers.Should().Equal(ReportAnswer.Superseded, ReportAnswer.Superseded, ReportAnswer.Recorded);
    }

    [Fact]
    public async Task A_report_that_cannot_be_delivered_is_abandoned_once_the_claim_is_lost()
    {
        var attempts = 0;
        FaultyStore? faulty = null;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("do", () => 1), store: inner => faulty = new FaultyStore(inner));
        var tried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        faulty!.FailsBefore = member =>
        {
            if (member != nameof(ITaskStore.RecordAsync))
            {
                return false;
            }

            attempts++;
            tried.TrySetResult();
            return true;
        };
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await tried.Task.Soon();
        var executor = host.Services.GetRequiredService<TaskExecutor>();

        await host.Client.CancelAsync("t");
        await executor.CheckClaimsAsync(default);
        await host.Clock.PassAsync(TimeSpan.FromMilliseconds(100));
        await executor.WhenIdleAsync().Soon();

        attempts.Should().Be(2, "the one that failed before the claim was lost, and the one that found it lost");
    }

    private async Task CreateAsync(string id = "t") =>
        await _host.Client.CreateAsync(new TaskDefinition { Id = id, Commands = [new("a"), new("b")] });

    private async Task MissPingsAsync()
    {
        await _host.BeatByHandAsync();
        await _host.WatchForAsync(TimeSpan.FromSeconds(91));
        await _host.Manager.TickAsync(default);
    }
}
