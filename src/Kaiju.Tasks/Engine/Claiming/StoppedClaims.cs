using System.Collections.Concurrent;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Gives back, while an executor drains, the runs that have stopped before their end: they need not wait for the runs
/// that still work.
/// </summary>
internal sealed class StoppedClaims(
    ExecutorInfo info, ITaskStore store, ActiveRuns runs, ExecutorStop stop, ILogger guarded)
{
    /// <summary>
    /// The claims of runs that have ended since the stop began. The store holds none of those that ended by a report.
    /// </summary>
    private readonly ConcurrentQueue<HeldClaim> _claims = new();

    private int _isGivingBack;

    public void Add(HeldClaim claim)
    {
        _claims.Enqueue(claim);
        GiveBack();
    }

    /// <summary>
    /// Begins to give back what has stopped, if the executor would otherwise wait for other runs first.
    /// </summary>
    public void GiveBack()
    {
        if (stop.IsDraining && !runs.IsEmpty)
        {
            // Not awaited: a store that does not answer must not hold up the stop, which gives back everything at its
            // end.
            _ = GiveBackAsync();
        }
    }

    /// <summary>One call at a time: what stops meanwhile is of the next one.</summary>
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

            // A full fence, so that a claim that found this busy is seen by the next look.
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
