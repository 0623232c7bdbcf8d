using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Engine;

public sealed class StoreQueueTests
{
    [Fact]
    public async Task Tasks_queued_for_other_apps_wake_no_executor()
    {
        await using var host = new TaskTestHost();
        using var queue = new CountingQueue(host.Store, host.Clock);
        var (shop, mail) = (
            queue.WaitAsync(Of("shop", "billing"), TimeSpan.FromDays(1), default).AsTask(),
            queue.WaitAsync(Of("mail"), TimeSpan.FromDays(1), default).AsTask());

        for (var i = 0; i < 200; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { AppName = i % 2 == 0 ? "other" : "another", Commands = [new("do")] });
        }

        (shop.IsCompleted, mail.IsCompleted, queue.Looks).Should().Be((false, false, 2));
        await host.Client.CreateManyAsync(
            [new TaskDefinition { AppName = "other", Commands = [
                new("do")] }, new TaskDefinition { AppName = "billing", Commands = [new("do")] }]);
        await shop.Soon();
        mail.IsCompleted.Should().BeFalse();
        await host.Client.CreateAsync(new TaskDefinition { AppName = "mail", Commands = [new("do")] });
        await mail.Soon();
    }

    [Fact]
    public async Task A_hint_without_apps_wakes_every_executor()
    {
        var store = new HintingStore();
        using var queue = new CountingQueue(store, TimeProvider.System);
        var waiting = queue.WaitAsync(Of("shop"), TimeSpan.FromDays(1), default).AsTask();

        store.PublishHints(new StoreHint(StoreHintKinds.All & ~StoreHintKinds.Queued));
        waiting.IsCompleted.Should().BeFalse();
        store.PublishHints(new StoreHint(StoreHintKinds.Queued));

        await waiting.Soon();
    }

    private static ExecutorInfo Of(params string[] apps) => ByHand.Executor.With(e => e.Apps, apps);

    private sealed class CountingQueue(ITaskStore store, TimeProvider clock) : StoreQueue(store, clock)
    {
        private int _looks;

        public int Looks => _looks;

        protected override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(
            ClaimRequest request, CancellationToken cancellationToken) => new([]);

        protected override ValueTask<bool> HasQueuedAsync(
            ExecutorInfo executor, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _looks);
            return new(false);
        }
    }

    private sealed class HintingStore() : DecoratedStore(null!)
    {
        private readonly HintListeners _listeners = new();

        public void PublishHints(StoreHint hint) => _listeners.Publish(hint);

        public override IDisposable Listen(Action<StoreHint> listener) => _listeners.Add(listener);
    }
}
