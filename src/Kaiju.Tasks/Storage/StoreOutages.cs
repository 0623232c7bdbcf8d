using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// One voice for the outages of a store. The engine's loops and the store itself say here what failed and what
/// succeeded, and the log gets one line when an outage begins, with the exception, one a minute while it lasts, and one
/// when it ends, with its length, however many callers the outage meets. A service of the host, for those who write
/// stores.
/// </summary>
public sealed class StoreOutages
{
    private const int MostNames = 5;

    /// <summary>
    /// Work that failed and was not repeated for so long was given up; its failure does not keep the outage open.
    /// </summary>
    private readonly TimeSpan _forgotten;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly FaultEpisode _episode;
    private readonly Dictionary<(string Work, object? Part), long> _failing = [];

    // Read without the lock by every step that succeeds.
    private volatile bool _isOpen;

    /// <summary>Creates it with nothing that fails.</summary>
    /// <param name="clock">The clock that measures the length of an outage.</param>
    /// <param name="options">
    /// The host's options: work that fails is repeated at the latest after
    /// <see cref="KaijuTasksOptions.MaxFaultDelay"/>.
    /// </param>
    /// <param name="logger">The log.</param>
    public StoreOutages(TimeProvider clock, KaijuTasksOptions options, ILogger<StoreOutages> logger)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        (_clock, _logger, _episode) = (clock, logger.Guarded(), new FaultEpisode(clock));
        _forgotten = FaultEpisode.Rhythm + (2 * options.MaxFaultDelay);
    }

    /// <summary>True while something fails.</summary>
    internal bool IsOpen => _isOpen;

    /// <summary>Reports that work failed because of the store and will be repeated.</summary>
    /// <param name="work">The work, in the imperative: "claim tasks".</param>
    /// <param name="exception">The failure.</param>
    /// <param name="part">
    /// What sets this work apart from other work of that name which goes on by itself, such as one task's; null for
    /// none.
    /// </param>
    public void Failed(string work, Exception exception, object? part = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(exception);
        Log.WorkFailed(_logger, exception, work);
        lock (_lock)
        {
            _failing[(work, part)] = _clock.GetTimestamp();
            _isOpen = true;
            switch (_episode.Fail())
            {
                case FaultNews.Begins:
                    Log.OutageBegins(_logger, exception, work);
                    break;
                case FaultNews.Lasts:
                    Log.OutageLasts(_logger, _episode.Elapsed, _episode.Count, Names(), exception.Message);
                    break;
            }
        }
    }

    /// <summary>Reports that work succeeded, or is no longer needed. Costs nothing while nothing fails.</summary>
    /// <param name="work">The work, as <see cref="Failed"/> names it.</param>
    /// <param name="part">The part, as <see cref="Failed"/> names it.</param>
    public void Succeeded(string work, object? part = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!_isOpen)
        {
            return;
        }

        lock (_lock)
        {
            _failing.Remove((work, part));
            foreach (var (failing, last) in _failing)
            {
                if (_clock.GetElapsedTime(last) > _forgotten)
                {
                    _failing.Remove(failing);
                }
            }

            _isOpen = _failing.Count > 0;
            if (!_isOpen && _episode.End() is { } end)
            {
                Log.OutageEnds(_logger, end.Elapsed, end.Count);
            }
        }
    }

    private string Names()
    {
        var names = _failing.Keys.Select(failing => failing.Work).Distinct().Order(StringComparer.Ordinal).ToList();
        return string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames
            ? $" and {names.Count - MostNames} more"
            : "");
    }
}
