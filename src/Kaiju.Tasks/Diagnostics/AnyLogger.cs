using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Diagnostics;

/// <summary>
/// The logger of a container without <c>AddLogging()</c>: it logs nothing. A later <c>AddLogging()</c> keeps this
/// registration of <see cref="ILogger{TCategoryName}"/>, which then logs through the registered factory.
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
