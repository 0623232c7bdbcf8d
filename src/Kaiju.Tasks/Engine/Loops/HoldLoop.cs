using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Corrects the holds of queued tasks, once every <see cref="KaijuTasksOptions.PollInterval"/>, and without a pause
/// while there are more. It warns of commands that no executor knows, once an hour each.
/// </summary>
internal sealed class HoldLoop(
    ITaskStore store, TimeProvider clock, KaijuTasksOptions options, StoreOutages outages, ILogger<HoldLoop> logger)
{
    private const string Work = "repair the holds of queued tasks";

    private static readonly TimeSpan _silence = TimeSpan.FromHours(1);

    private readonly ILogger _logger = logger.Guarded();
    private readonly Dictionary<(string AppName, string Method), long> _warned = [];

    public Task RunAsync(CancellationToken cancellationToken) =>
        new RegularWork(Work, options.PollInterval, options.MaxFaultDelay, clock, outages)
            .RunAsync(RepairAsync, cancellationToken);

    /// <summary>Corrects holds until a step finds no more.</summary>
    public async Task RepairAsync(CancellationToken cancellationToken)
    {
        HoldRepair repair;
        do
        {
            repair = await store.RepairHoldsAsync(options.ManagerBatch, cancellationToken).ConfigureAwait(false);
        }
        while (repair.HasMore);
        Warn(repair.Unroutable);
    }

    private void Warn(IReadOnlyList<(string AppName, string Method)> unroutable)
    {
        foreach (var known in _warned.Keys.Except(unroutable).ToList())
        {
            _warned.Remove(known);
        }

        foreach (var command in unroutable)
        {
            if (!_warned.TryGetValue(command, out var at) || clock.GetElapsedTime(at) >= _silence)
            {
                _warned[command] = clock.GetTimestamp();
                Log.CommandUnknown(_logger, command.AppName, command.Method);
            }
        }
    }
}
