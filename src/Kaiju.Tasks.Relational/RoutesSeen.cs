using System.Collections.Concurrent;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The executors of this process for which pauses or holds matter. Most of the time there are none, and a claim need
/// not look at them; so it looks once a second, and at once after a change that this process made.
/// </summary>
internal sealed class RoutesSeen(TimeProvider clock)
{
    private const int MostExecutors = 100;

    private static readonly TimeSpan _age = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (long At, bool Matters)> _seen = new(StringComparer.Ordinal);

    /// <summary>True if the executor must look at pauses and holds; null if that is not known any more.</summary>
    public bool? Matters(string executorId) =>
        _seen.TryGetValue(executorId, out var seen) && clock.GetElapsedTime(seen.At) < _age ? seen.Matters : null;

    /// <summary>Notes what a look has found.</summary>
    public void Note(string executorId, bool matters)
    {
        if (_seen.Count > MostExecutors)
        {
            _seen.Clear();
        }

        _seen[executorId] = (clock.GetTimestamp(), matters);
    }

    /// <summary>Forgets everything after a change of announcements or pauses.</summary>
    public void Forget() => _seen.Clear();
}
