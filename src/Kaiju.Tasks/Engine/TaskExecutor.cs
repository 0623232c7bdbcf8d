using System.Collections.Concurrent;
using System.Text.Json;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Serialization;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// What an executor does: claims as many tasks as it has free slots, runs each stage by stage, reports every outcome under the
/// task's claim, and stops at once where the claim is lost. Its loops say when.
/// </summary>
internal sealed class TaskExecutor : IDisposable
{
    private const long Never = long.MinValue;
    private static readonly TimeSpan _giveBackTimeout = TimeSpan.FromSeconds(5);

    private readonly ITaskStore _store;
    private readonly ITaskQueue _queue;
    private readonly StageRunner _stages;
    private readonly TimeProvider _clock;
    private readonly Offload _offload;
    private readonly KaijuTasksOptions _options;
    private readonly ILogger<TaskExecutor> _logger;
    private readonly ConcurrentDictionary<Guid, ActiveRun> _running = new();
    private readonly DeadlineWatch _deadlines;
    private readonly Func<ActiveRun, Task> _body;
    private readonly CancellationTokenSource _abandon = new();
    private readonly JsonElement _data;
    private readonly CancellationToken _abandoned;
    private int _taken;
    private long _lastLook = Never;
    private long _lastPing = Never;
    private long _lastSeen = Never;
    private bool _claimInDoubt;
    private volatile bool _stopping;

    public TaskExecutor(
        ITaskStore store, ITaskQueue queue, StageRunner stages, TimeProvider clock, IdSource ids, Offload offload, KaijuTasksOptions options, ILogger<TaskExecutor> logger)
    {
        (_store, _queue, _stages, _clock, _offload, _options, _logger) = (store, queue, stages, clock, offload, options, logger);
        _abandoned = _abandon.Token;
        _deadlines = new DeadlineWatch(clock, () => _running.Values);
        _body = RunAsync;
        Info = new ExecutorInfo(ids.NewId().ToString(), options.AppName, options.Apps, options.Capacity);
        _data = JsonWriting.Element(
            new Dictionary<string, string>(options.ExecutorData) { ["id"] = Info.Id, ["app_name"] = Info.AppName }, WireContext.Default.IDictionaryStringString);
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
        var ping = Volatile.Read(ref _lastPing);
        if (ping == Never || _clock.GetElapsedTime(ping) >= _options.PingInterval)
        {
            await HeartbeatAsync(cancellationToken).ConfigureAwait(false);
        }

        // The answer to the last claim did not come: what it may have taken is in nobody's hands.
        if (_claimInDoubt)
        {
            await _store.GiveBackStrayClaimsAsync(Info.Id, Held(), cancellationToken).ConfigureAwait(false);
        }

        _claimInDoubt = true;
        var tasks = await _queue.ClaimAsync(new ClaimRequest(Info, FreeSlots, _options.MaxClaimBytes), cancellationToken).ConfigureAwait(false);
        foreach (var task in tasks)
        {
            Start(task);
        }

        _claimInDoubt = false;
        return tasks.Count;
    }

    /// <summary>Says that this executor lives, and stops the runs whose claims are lost.</summary>
    public async Task HeartbeatAsync(CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        _lastLook = began;
        Supersede(await _store.HeartbeatAsync(Info, Held(), cancellationToken).ConfigureAwait(false));
        Volatile.Write(ref _lastPing, began);
        Volatile.Write(ref _lastSeen, began);
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
            var began = _clock.GetTimestamp();
            Supersede(await _store.FindLostClaimsAsync(claims, cancellationToken).ConfigureAwait(false));
            Volatile.Write(ref _lastSeen, began);
        }
    }

    /// <summary>Ends when nothing that is running now is running any more.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_running.Values.Select(run => run.Completion));

    /// <summary>Claims no more and begins no further stage.</summary>
    public void BeginStop() => _stopping = true;

    /// <summary>Lets stages finish for a while, then cancels their tokens and waits a little.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        BeginStop();
        await UntilIdleAsync(_options.StopTimeout, cancellationToken).ConfigureAwait(false);
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

    private void Start(ExecutorTask task)
    {
        var run = new ActiveRun(task, _data, _clock, _offload, _body);
        Interlocked.Increment(ref _taken);
        _running[task.Claim] = run;
        _deadlines.Watch(run);
        _offload.Start(run);
    }

    private async Task RunAsync(ActiveRun run)
    {
        var isLeft = run.IsLeft;
        try
        {
            if (isLeft)
            {
                await LeaveStageAsync(run).ConfigureAwait(false);
            }
            else
            {
                await RunStagesAsync(run).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The host is gone; what could not be reported runs again elsewhere.
        }
        catch (Exception e)
        {
            // Nothing of the user's should get here.
            Log.RunBroke(_logger, e, run.Task.Id, run.Task.JobId);
            await FailBrokenAsync(run).ConfigureAwait(false);
        }
        finally
        {
            // A run that has gone on elsewhere ends there.
            if (isLeft || !run.IsLeft)
            {
                await EndAsync(run).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask RunStagesAsync(ActiveRun run)
    {
        for (var stage = run.Task.Stage; stage < run.Task.Stages && !_stopping; stage++)
        {
            if (!await HoldsClaimAsync(run).ConfigureAwait(false) || !await RunStageAsync(run, stage).ConfigureAwait(false))
            {
                break;
            }
        }
    }

    /// <summary>
    /// After a freeze the claim may be another's, and the stage recorded. As long as the store has been heard of within an executor's
    /// lifetime nobody else can have it; after that it is asked before the next stage begins.
    /// </summary>
    private async ValueTask<bool> HoldsClaimAsync(ActiveRun run)
    {
        var delay = new FaultDelay(_clock, _options.MaxFaultDelay);
        while (!run.IsSuperseded && !HasHeardOfStore())
        {
            try
            {
                await CheckClaimsAsync(_abandoned).ConfigureAwait(false);
            }
            catch (Exception e) when (!_abandoned.IsCancellationRequested)
            {
                Log.HeartbeatFailed(_logger, e, Info.Id);
                await delay.WaitAsync(_abandoned).ConfigureAwait(false);
            }
        }

        return !run.IsSuperseded;
    }

    private bool HasHeardOfStore() =>
        Volatile.Read(ref _lastSeen) is not Never and var seen && _clock.GetElapsedTime(seen) < _options.PingInterval * _options.MaxMissedPings;

    /// <summary>One stage: run it, report it, and say whether there is a next one for this claim.</summary>
    private async ValueTask<bool> RunStageAsync(ActiveRun run, int stage)
    {
        run.StageStarted = _clock.GetTimestamp();
        return await _stages.RunAsync(run, stage).ConfigureAwait(false) is { } outcome && !run.IsLeft && await EndStageAsync(run, stage, outcome).ConfigureAwait(false);
    }

    /// <summary>The stage's handler keeps its thread beyond its time: the run says why it must stop, and ends.</summary>
    private async ValueTask LeaveStageAsync(ActiveRun run)
    {
        if (_stages.OutcomeOfStop(run) is { } outcome)
        {
            await EndStageAsync(run, run.Stage, outcome).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> EndStageAsync(ActiveRun run, int stage, StageOutcome outcome)
    {
        var report = ReportOf(run, stage, outcome, _clock.GetElapsedTime(run.StageStarted));
        if (await ReportAsync(run, report).ConfigureAwait(false) == ReportAnswer.Superseded)
        {
            Log.Superseded(_logger, run.Task.Id, run.Task.JobId, stage);
            run.Supersede();
            return false;
        }

        if (outcome is not StageOutcome.Done done)
        {
            Log.StageEnded(_logger, run.Task.Id, run.Task.JobId, stage, outcome);
            return false;
        }

        run.Add(stage, done.Result);
        return true;
    }

    /// <summary>Delivers a report until there is an answer. The store knows a report that it has carried out, so that a lost answer costs nothing.</summary>
    private async ValueTask<ReportAnswer> ReportAsync(ActiveRun run, StageReport report)
    {
        var delay = new FaultDelay(_clock, _options.MaxFaultDelay);
        while (true)
        {
            try
            {
                // Not the stopping token: finished work is recorded during shutdown.
                return (await _store.RecordAsync([report], _abandoned).ConfigureAwait(false))[0];
            }
            catch (Exception e) when (!_abandoned.IsCancellationRequested)
            {
                if (run.IsSuperseded)
                {
                    return ReportAnswer.Superseded;
                }

                Log.ReportFailed(_logger, e, run.Task.Id, run.Task.JobId, report.Stage);
                await delay.WaitAsync(_abandoned).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A fault of the engine's own fails the stage, so that its task does not hang until its deadline.</summary>
    private async Task FailBrokenAsync(ActiveRun run)
    {
        var error = TaskError.Create(TaskErrorKind.Other, "The executor failed outside the task's own code; its log says why.");
        try
        {
            await ReportAsync(run, ReportOf(run, run.Results.Count, StageOutcome.Failed(error), TimeSpan.Zero)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The host is gone; the task is given back.
        }
    }

    private static StageReport ReportOf(ActiveRun run, int stage, StageOutcome outcome, TimeSpan elapsed) => new()
    {
        TaskId = run.Task.Id,
        StoreKey = run.Task.StoreKey,
        Claim = run.Task.Claim,
        JobId = run.Task.JobId,
        Attempt = run.Task.Attempt,
        Stage = stage,
        Outcome = outcome,
        Elapsed = elapsed,
    };

    private async ValueTask EndAsync(ActiveRun run)
    {
        if (run.Leftover is { } leftover)
        {
            // A handler that ignores its token still uses what it uses, so its slot is not free.
            await leftover.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _running.TryRemove(run.Task.Claim, out _);
        Interlocked.Decrement(ref _taken);
        run.Dispose();
        SlotFreed?.Invoke();
        run.Complete();
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
