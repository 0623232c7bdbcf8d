using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>Work that a loop repeats at an interval. Failed work is retried sooner and noted as an outage.</summary>
/// <param name="name">The work, as the end of "could not …" in the log.</param>
/// <param name="interval">The pause after work that succeeded.</param>
/// <param name="mostDelay">The longest pause after work that failed.</param>
/// <param name="clock">The clock of the pauses.</param>
/// <param name="outages">The log of outages.</param>
internal sealed class RegularWork(
    string name, TimeSpan interval, TimeSpan mostDelay, TimeProvider clock, StoreOutages outages)
{
    /// <summary>Does the work until the token is cancelled.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        var delay = new FaultDelay(clock, mostDelay);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await work(cancellationToken).ConfigureAwait(false);
                outages.Succeeded(name);
                delay.Reset();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                outages.Failed(name, e);
                await delay.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            await Task.Delay(interval, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
