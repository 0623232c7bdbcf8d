using System.Reflection;
using System.Text.Json;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Kaiju.Tasks.Wire;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// The work of an executor; the loops decide when. It claims as many tasks as it has free slots
/// (<see cref="TaskClaimer"/>) and runs them stage by stage (<see cref="RunLoop"/>). It keeps their claims
/// (<see cref="HeldClaims"/>) and releases claims without a run (<see cref="StrayClaims"/>).
/// </summary>
internal sealed class TaskExecutor : IDisposable
{
    private static readonly TimeSpan _giveBackTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The version of the host's program, without the hash of its build.</summary>
    private static readonly Lazy<string?> _program = new(() => Assembly.GetEntryAssembly()?
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]);

    private readonly ITaskStore _store;
    private readonly TimeProvider _clock;
    private readonly KaijuTasksOptions _options;
    private readonly ILogger _logger;
    private readonly ExecutorStop _stop = new();
    private readonly ActiveRuns _runs;
    private readonly HeldClaims _held;
    private readonly StoppedClaims _stopped;
    private readonly StrayClaims _strays;

    public TaskExecutor(
        ITaskStore store, ITaskQueue queue, StageRunner stages, TimeProvider clock, IdSource ids, Offload offload,
        KaijuTasksOptions options, StoreOutages outages, ILogger<TaskExecutor> logger)
    {
        (_store, _clock, _options, _logger) = (store, clock, options, logger.Guarded());
        Info = new ExecutorInfo
        {
            Id = ids.NewId().ToString(),
            AppName = options.AppName,
            Apps = options.Apps,
            Capacity = options.Capacity,
            Commands = stages.Announced,
            Version = _program.Value,
            Host = Environment.MachineName,
        };
        _runs = new ActiveRuns(clock);
        var questions = new ClaimQuestions(Info.Id, store, clock, options);
        _held = new HeldClaims(Info, store, questions, _runs, _stop, clock, offload, options, outages);
        _stopped = new StoppedClaims(Info, store, _runs, _stop, _logger);
        var delays = new RetryDelays(clock, options, _logger);
        var reporter = new StageReporter(store, _stop, clock, options, outages, delays, _logger);
        var parts = new RunParts(
            DescribeExecutor(), stages, delays, reporter, _held, _runs, _stopped, _stop, clock, offload);
        Claimer = new TaskClaimer(Info, store, queue, parts, options);
        _strays = new StrayClaims(Info, questions, Claimer, _runs, _logger);
    }

    public ExecutorInfo Info { get; }

    /// <summary>Claims tasks for this executor's free slots.</summary>
    public TaskClaimer Claimer { get; }

    public bool IsRunning => !_runs.IsEmpty;

    /// <summary>Sends a heartbeat to the store, and stops the runs whose claims are lost.</summary>
    public Task HeartbeatAsync(CancellationToken cancellationToken) => _held.PingAsync(cancellationToken);

    /// <summary>Asks the store for lost claims, and stops their runs.</summary>
    public Task CheckClaimsAsync(CancellationToken cancellationToken) => _held.CheckAsync(cancellationToken);

    /// <summary>Asks for lost claims of the runs that began before the last check, and stops those runs.</summary>
    public Task CheckOldClaimsAsync(CancellationToken cancellationToken) => _held.CheckOldAsync(cancellationToken);

    /// <summary>
    /// Releases claims that the store holds for this executor without a run. One call at a time, once after each ping.
    /// </summary>
    public Task<int> GiveBackStraysAsync(CancellationToken cancellationToken) =>
        _strays.GiveBackAsync(cancellationToken);

    /// <summary>Completes when every run that is active now has ended.</summary>
    public Task WhenIdleAsync() => _runs.WhenIdleAsync();

    /// <summary>Begins the stop: no more tasks are claimed, and no more stages begin.</summary>
    public void BeginStop() => _stop.Begin();

    /// <summary>
    /// Waits for running stages, then cancels their tokens and waits for
    /// <see cref="KaijuTasksOptions.StopCancelTimeout"/>. A run that stops before its end is released at once, even if
    /// others are still active.
    /// </summary>
    /// <param name="patience">The time for stages to end before their tokens are cancelled.</param>
    /// <param name="cancellationToken">Cancels the waits; the stop still completes.</param>
    public async Task DrainAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        _stop.BeginDrain();
        _stopped.GiveBack();
        await WaitUntilIdleAsync(patience, cancellationToken).ConfigureAwait(false);
        foreach (var run in _runs.All)
        {
            run.Stop.Request(StopReason.Stopping);
        }

        await WaitUntilIdleAsync(_options.StopCancelTimeout, cancellationToken).ConfigureAwait(false);
        await _stop.AbandonAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Releases the remaining tasks. The last step of an executor: it must not claim or ping afterwards.
    /// </summary>
    public async Task GiveBackAsync()
    {
        using var enough = new CancellationTokenSource(_giveBackTimeout, _clock);
        try
        {
            // Not the host's stopping token: tasks that are not released now wait until this executor is found dead.
            var given = await _store.SuspendExecutorAsync(Info.Id, enough.Token).AsTask()
                .WaitAsync(enough.Token).ConfigureAwait(false);
            Log.ExecutorStopped(_logger, Info.Id, given.Count);
        }
        catch (Exception e)
        {
            Log.GiveBackFailed(_logger, e, Info.Id);
        }
    }

    public void Dispose()
    {
        _stop.Dispose();
        _runs.Dispose();
    }

    private JsonElement DescribeExecutor() => JsonWriting.Element(
        new Dictionary<string, string>(_options.ExecutorData) { ["id"] = Info.Id, ["app_name"] = Info.AppName },
        WireContext.Default.IDictionaryStringString,
        nameof(_options.ExecutorData));

    private async Task WaitUntilIdleAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await WhenIdleAsync().WaitAsync(timeout, _clock, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
