using System.Collections.Concurrent;
using System.Text.Json;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Kaiju.Tasks.Wire;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// What an executor does: claims as many tasks as it has free slots, runs each stage by stage, reports every outcome under the
/// task's claim, and stops at once where the claim is lost. Its loops say when.
/// </summary>
internal sealed partial class TaskExecutor : IDisposable
{
    private const long Never = long.MinValue;
    private static readonly TimeSpan _giveBackTimeout = TimeSpan.FromSeconds(5);

    private readonly ITaskStore _store;
    private readonly ITaskQueue _queue;
    private readonly StageRunner _stages;
    private readonly TimeProvider _clock;
    private readonly Offload _offload;
    private readonly KaijuTasksOptions _options;
    private readonly StoreOutages _outages;
    private readonly LifecycleRules _rules;
    private readonly ILogger<TaskExecutor> _logger;
    private readonly ConcurrentDictionary<Guid, ActiveRun> _running = new();
    private readonly DeadlineWatch _deadlines;
    private readonly Func<ActiveRun, Task> _body;
    private readonly CancellationTokenSource _abandon = new();
    private readonly JsonElement _data;
    private readonly PingRhythm _rhythm;
    private readonly SharedCall _renewal;
    private readonly CancellationToken _abandoned;
    private int _taken;
    private long _lastLook = Never;
    private volatile Moment? _lastPing;
    private bool _claimInDoubt;
    private volatile bool _stopping;
    private volatile bool _draining;

    public TaskExecutor(
        ITaskStore store, ITaskQueue queue, StageRunner stages, TimeProvider clock, IdSource ids, Offload offload,
        KaijuTasksOptions options, StoreOutages outages, ILogger<TaskExecutor> logger)
    {
        (_store, _queue, _stages, _clock, _offload) = (store, queue, stages, clock, offload);
        (_options, _outages, _logger) = (options, outages, logger.Guarded());
        _rules = options.Rules;
        _abandoned = _abandon.Token;
        _deadlines = new DeadlineWatch(clock, () => _running.Values);
        _body = RunAsync;
        _rhythm = new PingRhythm(options);
        _renewal = new SharedCall(() => HeartbeatAsync(_abandoned), offload);
        Info = new ExecutorInfo(ids.NewId().ToString(), options.AppName, options.Apps, options.Capacity);
        _data = JsonWriting.Element(
            new Dictionary<string, string>(options.ExecutorData) { ["id"] = Info.Id, ["app_name"] = Info.AppName }, WireContext.Default.IDictionaryStringString,
            nameof(options.ExecutorData));
    }

    public ExecutorInfo Info { get; }

    public int FreeSlots => _stopping ? 0 : Info.Capacity - Volatile.Read(ref _taken);

    public bool IsRunning => !_running.IsEmpty;

    /// <summary>Told when a run has ended, so that its slot can be filled.</summary>
    public event Action? SlotFreed;

    /// <summary>Claims for all free slots and starts what it got. One at a time.</summary>
    public async Task<int> ClaimAsync(CancellationToken cancellationToken)
    {
        if (FreeSlots <= 0)
        {
            return 0;
        }

        // Only an executor that is known to live can be found dead; after a freeze it may have been forgotten.
        if (_lastPing is not { } last || last.Elapsed >= _rhythm.Interval)
        {
            await HeartbeatAsync(cancellationToken).ConfigureAwait(false);
        }

        // The answer to the last claim did not come: what it may have taken is in nobody's hands.
        if (_claimInDoubt)
        {
            await _store.GiveBackStrayClaimsAsync(Info.Id, Held(), cancellationToken).ConfigureAwait(false);
        }

        _claimInDoubt = true;
        var ping = _lastPing;
        Interlocked.Increment(ref _claimsBegun);
        try
        {
            var tasks = await _queue.ClaimAsync(new ClaimRequest(Info, FreeSlots, _options.MaxClaimBytes), cancellationToken).ConfigureAwait(false);
            foreach (var task in tasks)
            {
                Start(task, ping);
            }

            _claimInDoubt = false;
            return tasks.Count;
        }
        finally
        {
            Interlocked.Increment(ref _claimsEnded);
        }
    }

    /// <summary>Says that this executor lives, and stops the runs whose claims are lost.</summary>
    public async Task HeartbeatAsync(CancellationToken cancellationToken)
    {
        var began = new Moment(_clock);
        _lastLook = began.Timestamp;
        var runs = _running.Values.ToList();
        using var bound = new BoundedToken(_rhythm.Timeout, _clock, cancellationToken);
        var ping = _store.HeartbeatAsync(Info, [.. runs.Select(run => run.Claim)], bound.Token);
        Supersede(await bound.WaitAsync(ping, "a ping").ConfigureAwait(false));
        runs.ForEach(run => run.HeldAt = began);
        _lastPing = began;
    }

    /// <summary>Stops the runs whose claims are lost, among those that have been running since the time before the last look: short ones end before they are asked about.</summary>
    public Task CheckOldClaimsAsync(CancellationToken cancellationToken)
    {
        var before = _lastLook;
        _lastLook = _clock.GetTimestamp();
        return CheckClaimsAsync([.. _running.Values.Where(run => run.Began <= before).Select(run => run.Claim)], cancellationToken);
    }

    /// <summary>Stops the runs whose claims are lost.</summary>
    public Task CheckClaimsAsync(CancellationToken cancellationToken) => CheckClaimsAsync(Held(), cancellationToken);

    private async Task CheckClaimsAsync(List<HeldClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count > 0)
        {
            Supersede(await AskAsync((store, token) => store.FindLostClaimsAsync(claims, token), cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Ends when nothing that is running now is running any more.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_running.Values.Select(run => run.Completion));

    /// <summary>Claims no more and begins no further stage.</summary>
    public void BeginStop() => _stopping = true;

    /// <summary>
    /// Lets stages finish for a while, then cancels their tokens and waits a little. A run that has stopped before its end is given back at
    /// once, whatever others still do.
    /// </summary>
    /// <param name="patience">How long stages may take to finish before their tokens are cancelled.</param>
    /// <param name="cancellationToken">Ends the waits, not the stop.</param>
    public async Task DrainAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        BeginStop();
        _draining = true;
        GiveBackStopped();
        await UntilIdleAsync(patience, cancellationToken).ConfigureAwait(false);
        foreach (var run in _running.Values)
        {
            run.Stop(StopReason.Stopping);
        }

        await UntilIdleAsync(_options.StopCancelTimeout, cancellationToken).ConfigureAwait(false);
        await _abandon.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Gives back what is left. The last thing that an executor does: nothing of it may claim or ping afterwards.</summary>
    public async Task GiveBackAsync()
    {
        using var enough = new CancellationTokenSource(_giveBackTimeout, _clock);
        try
        {
            // Not the host's stopping token: what is not given back now waits until this executor is found dead.
            var given = await _store.SuspendExecutorAsync(Info.Id, enough.Token).AsTask().WaitAsync(enough.Token).ConfigureAwait(false);
            Log.ExecutorStopped(_logger, Info.Id, given.Count);
        }
        catch (Exception e)
        {
            Log.GiveBackFailed(_logger, e, Info.Id);
        }
    }

    public void Dispose()
    {
        BeginStop();
        _abandon.Cancel();
        _abandon.Dispose();
        _deadlines.Dispose();
    }

    private void Supersede(IReadOnlyList<Guid> lost)
    {
        foreach (var claim in lost)
        {
            if (_running.TryGetValue(claim, out var run))
            {
                run.Supersede();
            }
        }
    }

    private List<HeldClaim> Held() => [.. _running.Values.Select(run => run.Claim)];

    private async Task UntilIdleAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await WhenIdleAsync().WaitAsync(timeout, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
