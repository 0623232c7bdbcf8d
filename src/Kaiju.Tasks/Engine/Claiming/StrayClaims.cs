using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Releases stray claims: claims that the store holds for an executor that does not run them. If the connection fails
/// during a claim, the claim may be committed long after the executor has searched for it. Its task would otherwise
/// wait until its deadline.
/// </summary>
internal sealed class StrayClaims(
    ExecutorInfo info, ClaimQuestions questions, TaskClaimer claimer, ActiveRuns runs, ILogger guarded)
{
    private HashSet<HeldClaim> _suspects = [];
    private long _suspectedAt;

    /// <summary>
    /// Searches for strays, and releases those that the previous search found too: the answer to a new claim may still
    /// be on its way. One call at a time, once after each ping.
    /// </summary>
    /// <returns>The number of released claims.</returns>
    public async Task<int> GiveBackAsync(CancellationToken cancellationToken)
    {
        // Read before the list of runs, so that the list has every claim of the ended calls.
        var ended = claimer.CallsEnded;
        var found = await questions.FindStraysAsync(runs.Claims, cancellationToken).ConfigureAwait(false);

        // Every claim that the previous search saw belongs to a call that has ended since. If its answer had arrived,
        // its run would be in the list.
        var strays = ended >= _suspectedAt ? found.Where(_suspects.Contains).ToList() : [];

        // Read after the search, which cannot have seen the claims of a later call.
        (_suspects, _suspectedAt) = ([.. found], claimer.CallsBegun);
        if (strays.Count == 0)
        {
            return 0;
        }

        var moves = await questions.GiveBackAsync(strays, cancellationToken).ConfigureAwait(false);
        Log.StraysGivenBack(guarded, info.Id, moves.Count);
        return moves.Count;
    }
}
