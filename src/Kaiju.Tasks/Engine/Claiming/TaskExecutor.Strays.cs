using System.Collections.Concurrent;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <content>
/// Claims that this executor holds without running them. A claim whose connection breaks may be committed long after the executor has
/// looked for what it took; nobody would run such a task until its deadline. And a run that a stop ends between two stages need not wait for
/// the executor's end.
/// </content>
internal sealed partial class TaskExecutor
{
    /// <summary>How many a search finds at most. What is left over is found by a later one.</summary>
    private const int MostStrays = 1000;

    /// <summary>The claims of runs that have ended since the stop began. Of those that ended by a report the store holds none any more.</summary>
    private readonly ConcurrentQueue<HeldClaim> _stopped = new();

    private HashSet<HeldClaim> _suspects = [];
    private long _suspectedAt;
    private long _claimsBegun;
    private long _claimsEnded;
    private int _isGivingBack;

    /// <summary>
    /// Looks for claims that the store holds for this executor and that it does not run, and gives back those that it has found in the search
    /// before as well: a claim that is new may still be on its way here. One caller at a time, once after each ping.
    /// </summary>
    public async Task<int> GiveBackStraysAsync(CancellationToken cancellationToken)
    {
        // Before the list of what runs here: what these answers brought is on it.
        var ended = Volatile.Read(ref _claimsEnded);
        var found = await AskAsync((store, token) => store.FindStrayClaimsAsync(Info.Id, Held(), MostStrays, token), cancellationToken).ConfigureAwait(false);

        // Every claim that the search before has seen was asked for by a call that has ended since. Had its answer come, it would be known.
        var strays = ended >= _suspectedAt ? found.Where(_suspects.Contains).ToList() : [];

        // After the search: a call that begins now cannot have been seen by it.
        (_suspects, _suspectedAt) = ([.. found], Volatile.Read(ref _claimsBegun));
        if (strays.Count == 0)
        {
            return 0;
        }

        var moves = await AskAsync((store, token) => store.GiveBackClaimsAsync(Info.Id, strays, token), cancellationToken).ConfigureAwait(false);
        Log.StraysGivenBack(_logger, Info.Id, moves.Count);
        return moves.Count;
    }

    /// <summary>While the executor drains: gives back the runs that have stopped before their end, if it would otherwise wait for others first.</summary>
    private void GiveBackStopped()
    {
        if (_draining && !_running.IsEmpty)
        {
            // Not awaited: a store that does not answer must not hold up the stop, which gives back everything at its end.
            _ = GiveBackStoppedAsync();
        }
    }

    /// <summary>One call at a time: what stops meanwhile is of the next one.</summary>
    private async Task GiveBackStoppedAsync()
    {
        while (!_stopped.IsEmpty && Interlocked.Exchange(ref _isGivingBack, 1) == 0)
        {
            while (TakeStopped() is { Count: > 0 } claims)
            {
                try
                {
                    await _store.GiveBackClaimsAsync(Info.Id, claims, _abandoned).ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    Log.EarlyGiveBackFailed(_logger, e, Info.Id);
                }
            }

            // A full fence, so that a claim that found this busy is seen by the next look.
            Interlocked.Exchange(ref _isGivingBack, 0);
        }
    }

    private List<HeldClaim> TakeStopped()
    {
        var claims = new List<HeldClaim>();
        while (_stopped.TryDequeue(out var claim))
        {
            claims.Add(claim);
        }

        return claims;
    }

    /// <summary>A question beside the pings. It may share their connection, so its wait is bounded well below theirs.</summary>
    private async Task<T> AskAsync<T>(Func<ITaskStore, CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        using var bound = new BoundedToken(_rhythm.QuestionTimeout, _clock, cancellationToken);
        return await bound.WaitAsync(ask(_store, bound.Token), "a question about claims").ConfigureAwait(false);
    }
}
