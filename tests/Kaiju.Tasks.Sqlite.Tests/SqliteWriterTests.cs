using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>The writer thread. An exception that left it would end the process, and with it this test run.</summary>
public sealed class SqliteWriterTests : IDisposable
{
    private readonly FaultyFile _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task A_listener_that_throws_does_not_end_the_writer_thread()
    {
        await using var store = _file.NewStore();
        using var listening = store.Listen(_ => throw new InvalidOperationException("a listener"));

        await CreateAsync(store, "t");
        await CreateAsync(store, "u");

        (await store.GetAsync("u", default)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_logger_that_throws_does_not_end_the_writer_thread()
    {
        await using var store = _file.NewStore(new ThrowingLogger());
        using var queue = new RelationalTaskQueue(store, TimeProvider.System);
        await store.CreateAsync([FaultyFile.Definition("t") with { NextTask = "missing" }], OnConflict.Fail, default);
        var task = (await queue.ClaimAsync(
            new ClaimRequest
            {
                Executor = new ExecutorInfo { Id = "executor", AppName = "default", Apps = ["default"], Capacity = 1 },
                MaxTasks = 1,
                MaxBytes = long.MaxValue,
            },
            default)).Single();

        // The end of the last stage logs that the next task is missing.
        foreach (var stage in (int[])[0, 1])
        {
            (await store.RecordAsync([Report(task, stage)], default)).Should().Equal(ReportAnswer.Recorded);
        }

        await CreateAsync(store, "u");
        (await store.GetAsync("t", default))!.State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_callback_of_a_step_that_throws_does_not_end_the_writer_thread()
    {
        // The library's own callbacks do not throw; the thread does not rely on that.
        var options = _file.Options;
        CachedConnection Open() => new(SqliteFile.Open(options));
        var sql = SqlTexts.Load(typeof(SqliteTaskStore).Assembly, SqliteSchema.Words(options));
        var parts = new StoreParts(
            new LifecycleRules(), TaskLifecycle.Next, IdSource.Random, sql, TimeProvider.System, NullLogger.Instance);
        await using var writer = new SqliteWriter(
            Open(),
            Open,
            (statements, tries) => new SqliteStep(statements, default, parts, tries),
            (_, _) => throw new InvalidOperationException("told"),
            options);

        for (var i = 0; i < 3; i++)
        {
            (await writer.WriteAsync(_ => ValueTask.FromResult(i), 0, default).WaitAsync(TimeSpan.FromSeconds(30)))
                .Should().Be(i);
        }
    }

    [Fact]
    public async Task The_writer_thread_does_not_capture_the_context_of_its_first_caller()
    {
        var local = new AsyncLocal<string> { Value = "a caller's" };
        string? seen = "nothing";
        await using var store = new SqliteTaskStore(
            _file.Options,
            TimeProvider.System,
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<SqliteTaskStore>.Instance,
            (task, state, happened, now, rules) =>
            {
                seen = local.Value;
                return TaskLifecycle.Next(task, state, happened, now, rules);
            });
        await CreateAsync(store, "t");

        await store.CancelAsync("t", default);

        seen.Should().BeNull();
    }

    private static StageReport Report(ExecutorTask task, int stage) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        JobId = task.JobId,
        Claim = task.Claim,
        Stage = stage,
        Attempt = 1,
        Outcome = StageOutcome.Completed(),
    };

    private static async Task CreateAsync(SqliteTaskStore store, string id) =>
        (await store.CreateAsync(
            [FaultyFile.Definition(id)], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);

    private sealed class ThrowingLogger : ILogger<SqliteTaskStore>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("a line");
    }
}
