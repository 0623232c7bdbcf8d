using System.Collections.Concurrent;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Releases the claims of runs that stop before their end while an executor drains, without a wait for the other runs.
/// </summary>
internal sealed class StoppedClaims(
    ExecutorInfo info, ITaskStore store, ActiveRuns runs, ExecutorStop stop, ILogger guarded)
{
    /// <summary>
    /// The claims of runs that have ended since the stop began. The store ignores those that a report has ended.
    /// </summary>
    private readonly ConcurrentQueue<HeldClaim> _claims = new();

    private int _isGivingBack;

    public void Add(HeldClaim claim)
    {
        _claims.Enqueue(claim);
        GiveBack();
    }

    /// <summary>Starts to release the stopped runs if the executor still waits for other runs.</summary>
    public void GiveBack()
    {
        if (stop.IsDraining && !runs.IsEmpty)
        {
            // Not awaited: a store that does not answer must not delay the stop, which releases all claims at its end.
            _ = GiveBackAsync();
        }
    }

    /// <summary>One call at a time. The running call also takes the claims that are added in the meantime.</summary>
    private async Task GiveBackAsync()
    {
        while (!_claims.IsEmpty && Interlocked.Exchange(ref _isGivingBack, 1) == 0)
        {
            while (TakeAll() is { Count: > 0 } claims)
            {
                try
                {
                    await store.GiveBackClaimsAsync(info.Id, claims, stop.Abandoned).ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    Log.EarlyGiveBackFailed(guarded, e, info.Id);
                }
            }

            // A full fence, so that the next check sees every claim that was added while this was busy.
            Interlocked.Exchange(ref _isGivingBack, 0);
        }
    }

    private List<HeldClaim> TakeAll()
    {
        var claims = new List<HeldClaim>();
        while (_claims.TryDequeue(out var claim))
        {
            claims.Add(claim);
        }

        return claims;
    }
}
