using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>The lines of a host's log from a given level, with their properties.</summary>
internal sealed class LineLog(LogLevel least)
{
    private readonly LogLevel _least = least;
    private readonly List<Line> _lines = [];
    private readonly List<(int Id, TaskCompletionSource Logged)> _awaited = [];

    public IReadOnlyList<Line> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILoggerProvider NewProvider() => new Provider(this);

    /// <summary>Completes once a line with this id has been logged.</summary>
    public Task Has(int id)
    {
        lock (_lines)
        {
            if (_lines.Exists(line => line.Id == id))
            {
                return Task.CompletedTask;
            }

            var logged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((id, logged));
            return logged.Task;
        }
    }

    private void Add(Line line)
    {
        lock (_lines)
        {
            _lines.Add(line);
            _awaited.RemoveAll(awaited => awaited.Id == line.Id && awaited.Logged.TrySetResult());
        }
    }

    internal sealed record Line(
        LogLevel Level, int Id, string Text, Exception? Exception, IReadOnlyDictionary<string, object?> Properties);

    private sealed class Provider(LineLog owner) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= owner._least && eventId.Id != 0)
            {
                var properties = state as IEnumerable<KeyValuePair<string, object?>> ?? [];
                owner.Add(
                    new Line(
                        logLevel,
                        eventId.Id,
                        formatter(state, exception),
                        exception,
                        new Dictionary<string, object?>(properties)));
            }
        }

        public void Dispose()
        {
        }
    }
}
