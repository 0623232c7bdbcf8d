using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Gives back claims that the store holds for an executor which does not run them. A claim whose connection breaks may
/// be committed long after the executor has looked for what it took; such a task would be left alone until its
/// deadline.
/// </summary>
internal sealed class StrayClaims(
    ExecutorInfo info, ClaimQuestions questions, TaskClaimer claimer, ActiveRuns runs, ILogger guarded)
{
    private HashSet<HeldClaim> _suspects = [];
    private long _suspectedAt;

    /// <summary>
    /// Looks for strays, and gives back those that the search before has found as well: a claim that is new may still
    /// be on its way here. One caller at a time, once after each ping.
    /// </summary>
    /// <returns>How many claims were given back.</returns>
    public async Task<int> GiveBackAsync(CancellationToken cancellationToken)
    {
        // Before the list of what runs here: what these answers brought is on it.
        var ended = claimer.CallsEnded;
        var found = await questions.FindStraysAsync(runs.Claims, cancellationToken).ConfigureAwait(false);

        // Every claim that the search before has seen was asked for by a call that has ended since. Had its answer
        // come, it would be known.
        var strays = ended >= _suspectedAt ? found.Where(_suspects.Contains).ToList() : [];

        // After the search: a call that begins now cannot have been seen by it.
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
