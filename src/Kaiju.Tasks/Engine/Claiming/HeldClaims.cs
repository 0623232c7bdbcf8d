using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Keeps the claims of an executor's runs: pings for them, stops the runs whose claims are lost, and confirms a claim
/// before a stage begins.
/// </summary>
internal sealed class HeldClaims
{
    private readonly ExecutorInfo _info;
    private readonly ITaskStore _store;
    private readonly ClaimQuestions _questions;
    private readonly ActiveRuns _runs;
    private readonly ExecutorStop _stop;
    private readonly TimeProvider _clock;
    private readonly KaijuTasksOptions _options;
    private readonly StoreOutages _outages;
    private readonly PingRhythm _rhythm;
    private readonly SharedCall _renewal;
    private volatile Moment? _lastLook;
    private volatile Moment? _lastPing;

    public HeldClaims(
        ExecutorInfo info,
        ITaskStore store,
        ClaimQuestions questions,
        ActiveRuns runs,
        ExecutorStop stop,
        TimeProvider clock,
        Offload offload,
        KaijuTasksOptions options,
        StoreOutages outages)
    {
        (_info, _store, _questions, _runs, _stop) = (info, store, questions, runs, stop);
        (_clock, _options, _outages) = (clock, options, outages);
        _rhythm = new PingRhythm(options);
        _renewal = new SharedCall(() => PingAsync(_stop.Abandoned), offload);
    }

    /// <summary>The beginning of the last ping that was answered; null before the first.</summary>
    public Moment? LastPing => _lastPing;

    /// <summary>Pings if the last ping is old: only an executor that is known to live can be found dead.</summary>
    public async ValueTask EnsurePingedAsync(CancellationToken cancellationToken)
    {
        // After a freeze the executor may have been forgotten.
        if (_lastPing is not { } last || last.Elapsed >= _rhythm.Interval)
        {
            await PingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Tells the store that this executor lives, and stops the runs whose claims are lost.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        var began = new Moment(_clock);
        _lastLook = began;
        var runs = _runs.All.ToList();
        using var bound = new BoundedToken(_rhythm.Timeout, _clock, cancellationToken);
        var ping = _store.HeartbeatAsync(_info, [.. runs.Select(run => run.Claim)], bound.Token);
        _runs.Supersede(await bound.WaitAsync(ping, "a ping").ConfigureAwait(false));
        runs.ForEach(run => run.HeldAt = began);
        _lastPing = began;
    }

    /// <summary>Stops the runs whose claims are lost.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => CheckAsync(_runs.Claims, cancellationToken);

    /// <summary>
    /// Stops the runs whose claims are lost, among those that are older than the last look: short runs end before their
    /// claims are asked for.
    /// </summary>
    public Task CheckOldAsync(CancellationToken cancellationToken)
    {
        var before = _lastLook?.Timestamp;
        _lastLook = new Moment(_clock);
        var old = _runs.All.Where(run => run.Began <= before).Select(run => run.Claim);
        return CheckAsync([.. old], cancellationToken);
    }

    /// <summary>
    /// Confirms a run's claim. After a freeze, or when the store was away, the claim may be another's, and the stage
    /// recorded. It is this executor's as long as the ping that named it counts; after that the executor pings again,
    /// and hears what it has lost.
    /// </summary>
    /// <returns>False if the claim is lost.</returns>
    public async ValueTask<bool> ConfirmAsync(ActiveRun run)
    {
        FaultDelay? delay = null;
        while (!run.Stop.IsSuperseded && !IsCertain(run))
        {
            try
            {
                // A ping that was under way may not have named this claim: then there is another one.
                await _renewal.JoinAsync().ConfigureAwait(false);
                _outages.Succeeded(HeartbeatLoop.Work);
            }
            catch (Exception e) when (!_stop.Abandoned.IsCancellationRequested)
            {
                _outages.Failed(HeartbeatLoop.Work, e);
                delay ??= new FaultDelay(_clock, _options.MaxFaultDelay);
                await delay.WaitAsync(_stop.Abandoned).ConfigureAwait(false);
            }
        }

        return !run.Stop.IsSuperseded;
    }

    /// <summary>Only pings count: that the store answers something else keeps no executor alive.</summary>
    private bool IsCertain(ActiveRun run) => run.HeldAt is { } ping && ping.Elapsed < _rhythm.Certainty;

    private async Task CheckAsync(List<HeldClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count > 0)
        {
            _runs.Supersede(await _questions.FindLostAsync(claims, cancellationToken).ConfigureAwait(false));
        }
    }
}
