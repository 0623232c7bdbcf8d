using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Warns of work that no running host can do: apps without an executor, and duties without a manager. Only the store
/// knows all hosts, so it is asked once a minute. The same warning is logged at most once an hour.
/// </summary>
internal sealed class AttendanceLoop(
    ITaskStore store,
    TimeProvider clock,
    KaijuTasksOptions options,
    StoreOutages outages,
    ILogger<AttendanceLoop> logger)
{
    /// <summary>
    /// The time between two checks, and the age at which waiting work counts as unattended: one minute.
    /// </summary>
    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan _silence = TimeSpan.FromHours(1);

    private readonly ILogger _logger = logger.Guarded();
    private readonly bool _isManager = options.Roles.HasFlag(TaskRoles.Manager);
    private readonly TimeSpan _lifetime = options.Rules.ExecutorLifetime;
    private readonly Dictionary<string, long> _apps = new(StringComparer.Ordinal);
    private long? _managerMissed;
    private long? _failureLogged;
    private int _failures;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(_interval, clock, cancellationToken).ConfigureAwait(false);
            await TryToLookAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Checks once. A failure is not an outage by itself: the database role of a client's host may lack the rights.
    /// </summary>
    public async Task TryToLookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync(cancellationToken).ConfigureAwait(false);
            _failures = 0;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // The first failure may belong to an outage that other loops are about to log.
            if (++_failures > 1 && !outages.IsOpen && IsDue(_failureLogged))
            {
                _failureLogged = clock.GetTimestamp();
                Log.AttendanceUnknown(_logger, e);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        // The query only reads, so neither a stop nor the next check waits for a missing answer.
        using var bound = new BoundedToken(_interval, clock, cancellationToken);
        var answer = await store.FindUnattendedAsync(_interval, bound.Token).AsTask()
            .WaitAsync(_interval, clock, cancellationToken).ConfigureAwait(false);
        var hasManager = _isManager || answer.LastWatch + _lifetime >= answer.Now;
        WarnOfManager(answer, isMissing: !hasManager && answer.HasDuty);

        // One warning is enough: an active manager checks the apps too.
        if (_isManager || !hasManager)
        {
            WarnOfApps(answer.Apps);
        }
    }

    private bool IsDue(long? logged) => logged is not { } at || clock.GetElapsedTime(at) >= _silence;

    private void WarnOfApps(IReadOnlyList<string> apps)
    {
        foreach (var served in _apps.Keys.Except(apps).ToList())
        {
            _apps.Remove(served);
        }

        foreach (var app in apps)
        {
            if (IsDue(_apps.TryGetValue(app, out var said) ? said : null))
            {
                _apps[app] = clock.GetTimestamp();
                Log.AppUnserved(_logger, app, _interval);
            }
        }
    }

    private void WarnOfManager(UnattendedWork answer, bool isMissing)
    {
        if (!isMissing)
        {
            _managerMissed = null;
        }
        else if (IsDue(_managerMissed))
        {
            _managerMissed = clock.GetTimestamp();
            Log.ManagerMissing(_logger, answer.LastWatch?.ToString("u") ?? "none");
        }
    }
}
