using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>
/// A logger that never throws. The exception of a log provider would end a loop, a run or a thread, and a completed
/// step would look failed. The exception is dropped: the factory's logger calls all other providers before it throws.
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
            // The exception of a log provider cannot be logged.
        }
    }
}

/// <summary>Wraps loggers in a <see cref="GuardedLogger{T}"/>.</summary>
internal static class GuardedLogger
{
    public static ILogger<T> Guarded<T>(this ILogger<T> logger) => new GuardedLogger<T>(logger);
}
