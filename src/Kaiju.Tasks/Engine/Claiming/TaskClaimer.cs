using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>Claims tasks for an executor's free slots, and begins to run them.</summary>
internal sealed class TaskClaimer(
    ExecutorInfo info, ITaskStore store, ITaskQueue queue, RunParts parts, KaijuTasksOptions options)
{
    private bool _isInDoubt;
    private long _callsBegun;
    private long _callsEnded;

    /// <summary>Raised when a run has ended, so that its slot can be filled.</summary>
    public event Action? SlotFreed
    {
        add => parts.Runs.SlotFreed += value;
        remove => parts.Runs.SlotFreed -= value;
    }

    /// <summary>Whose tasks it claims.</summary>
    public IReadOnlyList<string> Apps => info.Apps;

    /// <summary>True if something runs.</summary>
    public bool IsRunning => !parts.Runs.IsEmpty;

    public int FreeSlots => parts.Stop.HasBegun ? 0 : info.Capacity - parts.Runs.Taken;

    /// <summary>Calls of the queue that have begun.</summary>
    public long CallsBegun => Volatile.Read(ref _callsBegun);

    /// <summary>Calls of the queue whose answers, if they came, are among the active runs.</summary>
    public long CallsEnded => Volatile.Read(ref _callsEnded);

    /// <summary>Claims for all free slots and begins to run what it got. One call at a time.</summary>
    /// <returns>How many tasks were claimed.</returns>
    public async Task<int> ClaimAsync(CancellationToken cancellationToken)
    {
        if (FreeSlots <= 0)
        {
            return 0;
        }

        await parts.Claims.EnsurePingedAsync(cancellationToken).ConfigureAwait(false);
        if (_isInDoubt)
        {
            // The answer to the last claim did not come: what it may have taken runs nowhere.
            await store.GiveBackStrayClaimsAsync(info.Id, parts.Runs.Claims, cancellationToken).ConfigureAwait(false);
        }

        _isInDoubt = true;
        var ping = parts.Claims.LastPing;
        Interlocked.Increment(ref _callsBegun);
        try
        {
            var request = new ClaimRequest { Executor = info, MaxTasks = FreeSlots, MaxBytes = options.MaxClaimBytes };
            var tasks = await queue.ClaimAsync(request, cancellationToken).ConfigureAwait(false);
            foreach (var task in tasks)
            {
                RunLoop.Start(parts, task, ping);
            }

            _isInDoubt = false;
            return tasks.Count;
        }
        finally
        {
            Interlocked.Increment(ref _callsEnded);
        }
    }
}
