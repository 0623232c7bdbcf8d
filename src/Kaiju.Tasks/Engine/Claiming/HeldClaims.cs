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

    /// <summary>The start of the last answered ping; null before the first.</summary>
    public Moment? LastPing => _lastPing;

    /// <summary>
    /// Pings if the last ping is older than the ping interval. Only a registered executor can be found dead.
    /// </summary>
    public async ValueTask EnsurePingedAsync(CancellationToken cancellationToken)
    {
        // After a pause of the process the store may have expelled this executor.
        if (_lastPing is not { } last || last.Elapsed >= _rhythm.Interval)
        {
            await PingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a heartbeat to the store, and stops the runs whose claims are lost.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        var began = new Moment(_clock);
        _lastLook = began;
        var runs = _runs.All.ToList();
        using var bound = new BoundedToken(_rhythm.Timeout, _clock, cancellationToken);
        var ping = _store.HeartbeatAsync(_info, [.. runs.Select(run => run.Claim)], bound.Token);
        _runs.Supersede(await bound.WaitAsync(ping, "a heartbeat").ConfigureAwait(false));
        runs.ForEach(run => run.HeldAt = began);
        _lastPing = began;
    }

    /// <summary>Asks the store for lost claims, and stops their runs.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => CheckAsync(_runs.Claims, cancellationToken);

    /// <summary>
    /// Asks for lost claims of the runs that began before the last check, and stops those runs. Short runs end before
    /// the store is asked about them.
    /// </summary>
    public Task CheckOldAsync(CancellationToken cancellationToken)
    {
        var before = _lastLook?.Timestamp;
        _lastLook = new Moment(_clock);
        var old = _runs.All.Where(run => run.Began <= before).Select(run => run.Claim);
        return CheckAsync([.. old], cancellationToken);
    }

    /// <summary>
    /// Confirms that this executor still holds a run's claim. After a pause of the process or an outage of the store,
    /// another executor may hold it and may have recorded the stage. A claim is certain for a while after a ping that
    /// named it; then the executor pings again and learns which claims are lost.
    /// </summary>
    /// <returns>False if the claim is lost.</returns>
    public async ValueTask<bool> ConfirmAsync(ActiveRun run)
    {
        FaultDelay? delay = null;
        while (!run.Stop.IsSuperseded && !IsCertain(run))
        {
            try
            {
                // A pending ping may not have named this claim; the loop then pings again.
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

    /// <summary>Only pings count: other answers of the store do not keep an executor alive.</summary>
    private bool IsCertain(ActiveRun run) => run.HeldAt is { } ping && ping.Elapsed < _rhythm.Certainty;

    private async Task CheckAsync(List<HeldClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count > 0)
        {
            _runs.Supersede(await _questions.FindLostAsync(claims, cancellationToken).ConfigureAwait(false));
        }
    }
}
