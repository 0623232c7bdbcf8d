using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>
/// A logger that throws nothing. What a provider throws would end a loop, a run or the thread that logs, and make a
/// step that was carried out look as if it had failed. It is not said anywhere: the factory's logger has asked every
/// other provider before it throws.
/// </summary>
internal sealed class GuardedLogger<T>(ILogger inner) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        try
        {
            return inner.BeginScope(state);
        }
        catch (Exception)
        {
            return null;
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // There is nowhere to say it.
        }
    }
}

/// <summary>Puts a guard before a logger.</summary>
internal static class GuardedLogger
{
    public static ILogger<T> Guarded<T>(this ILogger<T> logger) => new GuardedLogger<T>(logger);
}
