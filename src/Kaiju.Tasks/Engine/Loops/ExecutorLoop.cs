using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Decides when an executor claims: whenever it has a free slot and the queue may have a task for it.
/// </summary>
internal sealed class ExecutorLoop(
    TaskClaimer claimer,
    ITaskQueue queue,
    TimeProvider clock,
    Offload offload,
    KaijuTasksOptions options,
    StoreOutages outages)
{
    private const string Work = "claim tasks";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var slots = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.MaxFaultDelay);
        claimer.SlotFreed += slots.Set;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                try
                {
                    await ClaimOrWaitAsync(slots, cancellationToken).ConfigureAwait(false);
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
        finally
        {
            claimer.SlotFreed -= slots.Set;
        }
    }

    private async Task ClaimOrWaitAsync(WakeSignal slots, CancellationToken cancellationToken)
    {
        if (claimer.FreeSlots == 0)
        {
            await slots.WaitAsync(options.PollInterval, cancellationToken).ConfigureAwait(false);
        }

        if (claimer.IsRunning)
        {
            // Short runs end together: runs that have started free their slots before the claim, so that one claim
            // fills all of them.
            await offload.YieldAsync().ConfigureAwait(false);
        }

        if (claimer.FreeSlots > 0 && await claimer.ClaimAsync(cancellationToken).ConfigureAwait(false) == 0)
        {
            await queue.WaitAsync(claimer.Executor, options.PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }
}
