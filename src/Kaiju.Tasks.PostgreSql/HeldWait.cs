using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The time that a step has waited for rows of another transaction; a long wait is logged once.</summary>
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
