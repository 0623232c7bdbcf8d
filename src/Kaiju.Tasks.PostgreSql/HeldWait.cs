using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>How long a step has been waiting for what another transaction holds; the log hears of it once.</summary>
internal sealed class HeldWait(ILogger logger)
{
    private static readonly TimeSpan _longUntilLogged = TimeSpan.FromSeconds(2);

    private readonly long _began = TimeProvider.System.GetTimestamp();
    private bool _isLogged;

    public int Count { get; private set; }

    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_began);

    public void Add(Exception e)
    {
        Count++;
        if (!_isLogged && Elapsed >= _longUntilLogged)
        {
            _isLogged = true;
            RelationalLog.StepHeld(logger, e, Elapsed);
        }
    }
}
