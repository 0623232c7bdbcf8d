using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>Reports only log entries that no simulation may produce: failures of the engine itself.</summary>
internal sealed class EngineLog<T>(Checker checker) : ILogger<T>, ILoggerFactory
{
    public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Critical;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            checker.Fail("engine", $"{formatter(state, exception)} {exception}");
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
