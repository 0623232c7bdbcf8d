using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// When an executor says that it lives, and when it asks for lost claims: apart from all work, so that neither waits for a stage. It
/// looks up once every check interval, which costs the store nothing while nothing runs, and at once when a hint says so.
/// </summary>
internal sealed class HeartbeatLoop(TaskExecutor executor, ITaskStore store, TimeProvider clock, KaijuTasksOptions options, ILogger<HeartbeatLoop> logger)
{
    private readonly ILogger _logger = logger.Guarded();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wake = new WakeSignal(clock);
        var delay = new FaultDelay(clock, options.ClaimCheckInterval);
        long? pinged = null;
        var isHinted = false;
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.ClaimLost))
            {
                isHinted = true;
                wake.Set();
            }
        });
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                pinged = await BeatAsync(pinged, Interlocked.Exchange(ref isHinted, false), cancellationToken).ConfigureAwait(false);
                delay.Reset();
                await wake.WaitAsync(options.ClaimCheckInterval, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                Log.HeartbeatFailed(_logger, e, executor.Info.Id);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<long> BeatAsync(long? pinged, bool isHinted, CancellationToken cancellationToken)
    {
        if (pinged is { } last && clock.GetElapsedTime(last) < options.PingInterval)
        {
            await (isHinted ? executor.CheckClaimsAsync(cancellationToken) : executor.CheckOldClaimsAsync(cancellationToken)).ConfigureAwait(false);
            return last;
        }

        var now = clock.GetTimestamp();
        await executor.HeartbeatAsync(cancellationToken).ConfigureAwait(false);
        return now;
    }
}
