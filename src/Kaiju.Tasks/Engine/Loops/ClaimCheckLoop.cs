using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Decides when an executor asks for lost claims: once every <see cref="KaijuTasksOptions.ClaimCheckInterval"/> while
/// it runs tasks, and at once after a hint. Pings do not wait for it.
/// </summary>
internal sealed class ClaimCheckLoop(
    TaskExecutor executor, ITaskStore store, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages)
{
    private const string Work = "ask for lost claims";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.ClaimCheckInterval);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.ClaimLost))
            {
                wake.Set();
            }
        });
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var isHinted = await wake.WaitAsync(options.ClaimCheckInterval, cancellationToken)
                    .ConfigureAwait(false);
                var check = isHinted
                    ? executor.CheckClaimsAsync(cancellationToken)
                    : executor.CheckOldClaimsAsync(cancellationToken);
                await check.ConfigureAwait(false);
                outages.Succeeded(Work);
                delay.Reset();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                outages.Failed(Work, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
