using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>The thread that continues a run whose handler blocks its thread.</summary>
public sealed class HandlerCallTests
{
    private readonly CountingOffload _offload = new();

    [Fact]
    public void A_handler_that_returns_its_thread_in_time_keeps_the_run_on_it()
    {
        var call = NewCall();
        call.Begin(0);

        call.TryEnd().Should().BeTrue();
        call.Leave();

        call.IsLeft.Should().BeFalse();
        call.Leftover.IsCompleted.Should().BeTrue();
        _offload.Started.Should().Be(0);
    }

    [Fact]
    public void A_stop_during_a_call_continues_the_run_elsewhere_once()
    {
        var call = NewCall();
        call.Begin(0);

        call.Leave();
        call.Leave();
        call.Leave(0);

        call.IsLeft.Should().BeTrue();
        call.TryEnd().Should().BeFalse();
        call.IsLeft.Should().BeTrue();
        _offload.Started.Should().Be(1);
    }

    [Fact]
    public void The_time_of_one_stage_does_not_end_the_call_of_another()
    {
        var call = NewCall();
        call.Begin(0);
        call.TryEnd();
        call.Begin(1);

        call.Leave(0);

        call.TryEnd().Should().BeTrue();
        _offload.Started.Should().Be(0);
    }

    [Fact]
    public async Task A_run_that_continues_elsewhere_waits_for_the_remaining_work_of_its_handler()
    {
        var call = NewCall();
        var work = new TaskCompletionSource<StageOutcome>();
        call.Begin(0);
        call.Leave();
        var leftover = call.Leftover;
        leftover.IsCompleted.Should().BeFalse("the handler keeps the thread");

        call.TryEnd(new ValueTask<StageOutcome>(work.Task)).Should().BeFalse();
        leftover.IsCompleted.Should().BeFalse("the handler has returned the thread and is not done");

        work.SetException(new IOException("too late"));
        await leftover.Soon();
    }

    [Fact]
    public async Task A_thread_and_a_stop_that_race_never_both_continue_the_run()
    {
        for (var round = 0; round < 2000; round++)
        {
            var offload = new CountingOffload();
            var call = new HandlerCall(offload, new NoWork());
            call.Begin(round);
            using var both = new Barrier(2);
            var stop = Task.Run(() =>
            {
                both.SignalAndWait();
                call.Leave();
            });
            both.SignalAndWait();
            var isOurs = call.TryEnd();
            await stop;

            offload.Started.Should().Be(isOurs ? 0 : 1);
        }
    }

    /// <summary>Forces the interleaving: the handler returns its thread before its successor has begun.</summary>
    [Fact]
    public async Task A_thread_that_has_lost_its_run_does_not_end_it()
    {
        var offload = new HeldOffload();
        TaskTestHost? host = null;
        host = new TaskTestHost(
            tasks =>
            {
                tasks.Services.AddSingleton<Offload>(offload);
                tasks.AddCommand("block", () => host!.Clock.Advance(TimeSpan.FromSeconds(2)));
            },
            options => options.Capacity = 1);
        await using var disposed = host;
        var command = new TaskCommand("block") { MaxTimeout = TimeSpan.FromSeconds(2) };
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [command, new("block")] });

        await host.Executor.Claimer.ClaimAsync(default);

        offload.Held.Should().NotBeNull();
        host.Executor.Claimer.FreeSlots.Should().Be(0);
        host.Executor.IsRunning.Should().BeTrue();

        offload.Held!.Execute();
        await host.Executor.WhenIdleAsync().Soon();

        host.Executor.Claimer.FreeSlots.Should().Be(1);
        (await host.GetAsync("t")).Error!.Kind.Should().Be(TaskErrorKind.StageTimeout);
    }

    private HandlerCall NewCall() => new(_offload, new NoWork());

    private sealed class CountingOffload : Offload
    {
        public int Started { get; private set; }

        public override void Start(IThreadPoolWorkItem work) => Started++;
    }

    /// <summary>Begins a run at once, on the caller's thread, and delays its successor.</summary>
    private sealed class HeldOffload : Offload
    {
        private bool _hasBegun;

        public IThreadPoolWorkItem? Held { get; private set; }

        public override void Start(IThreadPoolWorkItem work)
        {
            if (_hasBegun)
            {
                Held = work;
                return;
            }

            _hasBegun = true;
            work.Execute();
        }
    }

    private sealed class NoWork : IThreadPoolWorkItem
    {
        public void Execute()
        {
        }
    }
}
