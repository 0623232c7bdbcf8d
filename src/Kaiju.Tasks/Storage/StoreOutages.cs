using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// Logs the outages of a store once for all callers. The engine's loops and the store report their failures and
/// successes here. The log gets a line when an outage begins, with the exception, one a minute while it lasts, and one
/// with its length when it ends. It is a service of the host, for authors of stores.
/// </summary>
public sealed class StoreOutages
{
    private const int MostNames = 5;

    /// <summary>
    /// The time after which failed work without a retry counts as abandoned, and does not keep the outage open.
    /// </summary>
    private readonly TimeSpan _forgotten;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly FaultEpisode _episode;
    private readonly Dictionary<(string Work, object? Part), long> _failing = [];

    // Read without the lock by every successful step.
    private volatile bool _isOpen;

    /// <summary>Creates it without an outage.</summary>
    /// <param name="clock">The clock that measures the length of an outage.</param>
    /// <param name="options">
    /// The host's options. Failed work is retried after at most <see cref="KaijuTasksOptions.MaxFaultDelay"/>.
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

    /// <summary>True during an outage.</summary>
    internal bool IsOpen => _isOpen;

    /// <summary>Reports that work failed because of the store and will be retried.</summary>
    /// <param name="work">The work, in the imperative: "claim tasks".</param>
    /// <param name="exception">The failure.</param>
    /// <param name="part">
    /// A value that tells apart independent work of the same name, such as that of one task. Default: null, for none.
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

    /// <summary>Reports that work succeeded or is not needed any more. Without an outage it costs nothing.</summary>
    /// <param name="work">The work, with the same text as in <see cref="Failed"/>.</param>
    /// <param name="part">The part, with the same value as in <see cref="Failed"/>.</param>
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
