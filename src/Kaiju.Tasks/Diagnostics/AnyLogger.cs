using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>
/// The logger of a container that nothing has added logging to: it logs nothing. If <c>AddLogging()</c> comes later it
/// finds <see cref="ILogger{TCategoryName}"/> registered and leaves it; then this is the logger of its factory, as its
/// own would be.
/// </summary>
internal sealed class AnyLogger<T>(IServiceProvider services) : ILogger<T>
{
    private readonly ILogger _inner = new Logger<T>(
        services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => _inner.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _inner.Log(logLevel, eventId, state, exception, formatter);
}
