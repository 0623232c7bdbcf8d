using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>Claims tasks for an executor's free slots, and starts their runs.</summary>
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

    /// <summary>The executor that claims.</summary>
    public ExecutorInfo Executor => info;

    /// <summary>True if at least one run is active.</summary>
    public bool IsRunning => !parts.Runs.IsEmpty;

    public int FreeSlots => parts.Stop.HasBegun ? 0 : info.Capacity - parts.Runs.Taken;

    /// <summary>The number of claim calls that have begun.</summary>
    public long CallsBegun => Volatile.Read(ref _callsBegun);

    /// <summary>The number of claim calls that have ended. Tasks of their answers are among the active runs.</summary>
    public long CallsEnded => Volatile.Read(ref _callsEnded);

    /// <summary>Claims tasks for all free slots and starts their runs. One call at a time.</summary>
    /// <returns>The number of claimed tasks.</returns>
    public async Task<int> ClaimAsync(CancellationToken cancellationToken)
    {
        if (FreeSlots <= 0)
        {
            return 0;
        }

        await parts.Claims.EnsurePingedAsync(cancellationToken).ConfigureAwait(false);
        if (_isInDoubt)
        {
            // The last claim was not answered: tasks that it may have claimed run nowhere.
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
