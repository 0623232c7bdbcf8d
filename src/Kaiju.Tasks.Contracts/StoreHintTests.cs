using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The apps and tasks that a hint names.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreHintTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>
    /// A hint about a queued task includes its app, and a hint about an end includes the task, by name or as any.
    /// </summary>
    [Fact]
    public async Task A_hint_names_its_app_or_its_task_or_any()
    {
        await using var opened = await OpenAsync();
        var hints = new System.Collections.Concurrent.ConcurrentQueue<StoreHint>();
        using var listening = opened.Store.Listen(hints.Enqueue);
        await opened.Store.CreateAsync(
            [Checked.Definition(
                Task("t", 1) with { AppName = "shop" }), Checked.Definition(Task("u", 1) with { AppName = "mail" })],
            OnConflict.Fail,
            default);
        await HintedAsync(hint => hint.MayQueue(["shop"]));
        await HintedAsync(hint => hint.MayQueue(["mail"]));

        await opened.Store.CancelAsync("t", default);
        await HintedAsync(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended) && hint.TaskIds.MayContain("t"));

        await opened.Store.ResetAsync("t", default);
        hints.Clear();
        await opened.Store.QueueDueAsync(1, default);
        await HintedAsync(hint => hint.MayQueue(["shop"]));
        var claimed = Assert.Single(
            await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor.With(e => e.Apps, ["mail"]), MaxTasks = 1, MaxBytes = 1 },
                default));
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of("1")));
        await HintedAsync(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended) && hint.TaskIds.MayContain("u"));

        // A hint may arrive after the answer.
        async Task HintedAsync(Func<StoreHint, bool> isMeant)
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
            while (!hints.Any(isMeant))
            {
                bound.Token.ThrowIfCancellationRequested();
                await System.Threading.Tasks.Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        }
    }
}
