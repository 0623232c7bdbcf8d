using System.Collections.Concurrent;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>The active runs of an executor. Each takes one slot and is stopped at its deadline.</summary>
internal sealed class ActiveRuns : IDisposable
{
    private readonly ConcurrentDictionary<Guid, ActiveRun> _runs = new();
    private readonly DeadlineWatch _deadlines;
    private int _taken;

    public ActiveRuns(TimeProvider clock) => _deadlines = new DeadlineWatch(clock, _runs);

    /// <summary>Raised when a run has ended, so that its slot can be filled.</summary>
    public event Action? SlotFreed;

    public int Taken => Volatile.Read(ref _taken);

    public bool IsEmpty => _runs.IsEmpty;

    public IEnumerable<ActiveRun> All => _runs.Values;

    public List<HeldClaim> Claims => [.. _runs.Values.Select(run => run.Claim)];

    public void Add(ActiveRun run)
    {
        Interlocked.Increment(ref _taken);
        _runs[run.Task.Claim] = run;
        _deadlines.Watch(run);
    }

    public void Remove(ActiveRun run)
    {
        _runs.TryRemove(run.Task.Claim, out _);
        Interlocked.Decrement(ref _taken);
        run.Stop.Dispose();
        SlotFreed?.Invoke();
    }

    /// <summary>Stops the runs whose claims are lost.</summary>
    public void Supersede(IReadOnlyList<Guid> lost)
    {
        foreach (var claim in lost)
        {
            if (_runs.TryGetValue(claim, out var run))
            {
                run.Stop.Supersede();
            }
        }
    }

    /// <summary>Completes when every run that is active now has ended.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_runs.Values.Select(run => run.Completion));

    public void Dispose() => _deadlines.Dispose();
}
