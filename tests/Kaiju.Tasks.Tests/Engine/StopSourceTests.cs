using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>The reasons for which a run stops.</summary>
public sealed class StopSourceTests : IDisposable
{
    private readonly StopSource _stop = new(new InlineOffload(), new HandlerCall(new Offload(), new NoWork()));

    [Fact]
    public void The_first_reason_to_stop_counts()
    {
        _stop.Request(StopReason.Deadline);
        _stop.Request(StopReason.Stopping);

        _stop.Reason.Should().Be(StopReason.Deadline);
        _stop.Token.IsCancellationRequested.Should().BeTrue();
    }

    [Fact]
    public void A_lost_claim_is_remembered_beside_an_earlier_reason()
    {
        _stop.Request(StopReason.Deadline);
        _stop.Supersede();

        _stop.Reason.Should().Be(StopReason.Deadline);
        _stop.IsSuperseded.Should().BeTrue();
    }

    [Fact]
    public void A_stop_after_the_end_cancels_nothing()
    {
        _stop.Dispose();

        _stop.Invoking(stop => stop.Request(StopReason.Deadline)).Should().NotThrow();

        _stop.Reason.Should().Be(StopReason.Ended);
        _stop.Token.IsCancellationRequested.Should().BeFalse();
    }

    [Fact]
    public void The_token_of_a_stopped_run_outlives_its_end()
    {
        _stop.Request(StopReason.Deadline);
        _stop.Dispose();

        _stop.Token.Invoking(token => token.WaitHandle.WaitOne(0)).Should().NotThrow().Which.Should().BeTrue();
    }

    public void Dispose() => _stop.Dispose();

    private sealed class InlineOffload : Offload
    {
        public override void Cancel(CancellationTokenSource source) => source.Cancel();
    }

    private sealed class NoWork : IThreadPoolWorkItem
    {
        public void Execute()
        {
        }
    }
}
