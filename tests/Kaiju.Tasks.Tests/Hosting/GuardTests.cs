using System.Text.RegularExpressions;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Tests.Docs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Hosting;

/// <summary>Loggers, listeners and sinks are code of the host: their exceptions stop no part of the engine.</summary>
public sealed class GuardTests
{
    [Fact]
    public async Task A_logger_that_throws_stops_nothing()
    {
        var sink = new FaultySink();
        var attempts = 0;
        await using var host = new RunningHost(
            tasks =>
            {
                tasks.Services.AddLogging(logging => logging.AddProvider(new ThrowingLogs()));
                tasks.Services.AddSingleton<INotificationSink>(sink);
                tasks.AddCommand("do", () => 1).AddCommand(
                    "fail once",
                    () => Interlocked.Increment(ref attempts) == 1 ? throw new InvalidOperationException("once") : 1);
            },
            realTime: true);

        // Logged are moved tasks, stages that end a claim, a missing next task, and a loop that a sink has failed.
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "chained",
                NextTask = "missing",
                Notify = true,
                Commands = [new("do"), new("do")],
            });
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "retried", MaxRetries = 1, Commands = [new("fail once")] });

        (await host.Client.WaitAsync("chained").Soon()).State.Should().Be(TaskState.Finished);
        (await host.Client.WaitAsync("retried").Soon()).State.Should().Be(TaskState.Finished);
        (await sink.Delivered.Soon()).Should().Be("chained");
        await host.Client.CreateAsync(new TaskDefinition { Id = "after", Commands = [new("do")] });
        (await host.Client.WaitAsync("after").Soon()).State.Should().Be(TaskState.Finished);
        await host.StopAsync().Soon();
    }

    [Fact]
    public async Task A_callback_of_a_sink_that_throws_does_not_keep_a_stop_from_releasing_tasks()
    {
        var sink = new StuckSink();
        var gate = new Gate();
        await using var host = new RunningHost(
            tasks =>
            {
                tasks.Services.AddSingleton<INotificationSink>(sink);
                tasks.AddCommand("do", () => 1).AddCommand("pass", gate.PassStubbornlyAsync);
            },
            options => (options.StopTimeout, options.StopCancelTimeout) = (TimeSpan.Zero, TimeSpan.Zero),
            realTime: true);
        var store = host.Services.GetRequiredService<ITaskStore>();
        await host.Client.CreateAsync(new TaskDefinition { Id = "notifies", Notify = true, Commands = [new("do")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "runs", Commands = [new("pass")] });
        await sink.Entered.Soon();
        await gate.Entered;

        await host.StopAsync().Soon();

        (await store.GetAsync("runs", default))!.State.Should().Be(TaskState.Suspended, "it is released");
        host.Logs.Lines.Should().Contain(line => line.Event.Id == 303);
        gate.Open();
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_fail_the_step_of_its_hint()
    {
        await using var host = new TaskTestHost();
        var store = host.Services.GetRequiredService<ITaskStore>();
        var told = new List<string>();
        using var before = store.Listen(hint => told.Add(hint.Apps.ToString()));
        using var throwing = store.Listen(_ => throw new InvalidOperationException("a listener"));
        using var after = store.Listen(hint => told.Add(hint.Apps.ToString()));

        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        told.Should().Equal("default", "default");
        host.Logs.Lines.Should().Contain(line => line.Event.Id == 505 && line.Exception!.Message == "a listener");
    }

    [Fact]
    public void An_exception_of_a_listener_is_reported_to_the_owner_of_the_listeners()
    {
        var said = new List<Exception>();
        var listeners = new HintListeners(e =>
        {
            said.Add(e);
            throw new InvalidOperationException("nor can it be said");
        });
        var told = 0;
        using var throwing = listeners.Add(_ => throw new InvalidOperationException("a listener"));
        var listening = listeners.Add(_ => told++);

        listeners.Publish(new StoreHint(StoreHintKinds.Queued));
        listening.Dispose();
        listeners.Publish(new StoreHint(StoreHintKinds.Queued));

        said.Should().HaveCount(2).And.OnlyContain(e => e.Message == "a listener");
        told.Should().Be(1, "it was removed, and the one that throws was not");
    }

    [Fact]
    public void A_guarded_logger_throws_nothing_and_forwards_everything()
    {
        var broken = new GuardedLogger<GuardTests>(new ThrowingLogs());
        broken.IsEnabled(LogLevel.Error).Should().BeFalse();
        broken.BeginScope("scope").Should().BeNull();
        broken.LogError("text");

        using var logs = new RecordedLogs();
        ILogger<GuardTests> whole = new GuardedLogger<GuardTests>(logs.CreateLogger("category"));
        using (whole.BeginScope("scope"))
        {
            whole.LogError("text");
        }

        logs.Lines.Should().ContainSingle().Which.Should()
            .BeEquivalentTo(new { Level = LogLevel.Error, Text = "text", Scopes = "scope" });
    }

    [Fact]
    public void Every_line_is_logged_through_a_guard()
    {
        var unguarded = new List<string>();
        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(DocsTests.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            var takes = Regex.IsMatch(text, @"ILogger<\w+> logger\b")
                && !text.Contains("static ILogger<T> Guarded<T>", StringComparison.Ordinal);
            if ((takes && !text.Contains("logger.Guarded()", StringComparison.Ordinal))
                || Regex.IsMatch(text, @"\bLog\.\w+\(logger\b"))
            {
                unguarded.Add(Path.GetFileName(file));
            }
        }

        unguarded.Should().BeEmpty("a logger that throws must not end the work it logs");
    }

    private sealed class StuckSink : INotificationSink
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Entered => _entered.Task;

        public async ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
        {
            using var registration = cancellationToken.Register(
                () => throw new InvalidOperationException("a callback"));
            _entered.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
    }

    private sealed class FaultySink : INotificationSink
    {
        private readonly TaskCompletionSource<string> _delivered = new(
            TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _hasFailed;

        public Task<string> Delivered => _delivered.Task;

        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                throw new InvalidOperationException("a sink");
            }

            _delivered.TrySetResult(notification.TaskId);
            return default;
        }
    }

    private sealed class ThrowingLogs : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("Kaiju", StringComparison.Ordinal)
                ? this
                : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException("a scope");

        public bool IsEnabled(LogLevel logLevel) => throw new InvalidOperationException("a level");

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("a line");

        public void Dispose()
        {
        }
    }
}
