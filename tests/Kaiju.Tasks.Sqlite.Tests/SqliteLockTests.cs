using System.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// Waits for locks of other connections: the busy timeout bounds the whole call, by the machine's clock.
/// </summary>
[Collection(Alone.Name)]
public sealed class SqliteLockTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(400);

    // The delay that a busy machine may add. The waits of two tries, or of a driver with its own second of waiting, are
    // longer.
    private static readonly TimeSpan _slack = TimeSpan.FromMilliseconds(350);

    private readonly TemporaryFile _file = new();
    private readonly SqliteConnection _other;

    public SqliteLockTests()
    {
        _other = _file.Open();
        Execute("pragma journal_mode = wal");
    }

    public void Dispose()
    {
        _other.Dispose();
        _file.Dispose();
    }

    [Fact]
    public async Task A_write_fails_when_the_file_was_locked_for_the_busy_timeout()
    {
        await using var store = NewStore();
        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        Execute("begin immediate");

        var e = await FailsAfterTheBusyTimeoutAsync(() => store.CancelAsync("t", default).AsTask());

        e.Message.Should().Contain(_file.Path).And.Contain("BusyTimeout").And.Contain("00:00:00.4");
        Execute("rollback");
        (await store.CancelAsync("t", default)).Should().BeTrue();
    }

    [Fact]
    public async Task A_write_that_comes_while_others_wait_has_its_own_busy_timeout()
    {
        await using var store = NewStore();
        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        Execute("begin immediate");
        var first = FailsAfterTheBusyTimeoutAsync(() => store.CancelAsync("t", default).AsTask());
        await Task.Delay(_patience / 2);
        var second = FailsAfterTheBusyTimeoutAsync(() => store.ResetAsync("t", default).AsTask());

        await Task.WhenAll(first, second);
    }

    [Fact]
    public async Task A_start_fails_when_the_file_was_locked_for_the_busy_timeout()
    {
        Execute("begin immediate");
        await using var store = NewStore();

        // All callers share one start, and none waits for another's.
        await Task.WhenAll(
            Enumerable.Range(0, 5).Select(
                _ => FailsAfterTheBusyTimeoutAsync(() => store.GetAsync("t", default).AsTask())));
        await FailsAfterTheBusyTimeoutAsync(() => store.StartAsync(default));
        await FailsAfterTheBusyTimeoutAsync(() => SqliteSchema.MigrateAsync(Options()));

        Execute("rollback");
        await store.StartAsync(default);
    }

    [Fact]
    public async Task A_start_where_the_tables_are_up_to_date_waits_for_no_lock()
    {
        await SqliteSchema.MigrateAsync(Options());
        Execute("begin immediate");
        await using var store = NewStore();

        await store.StartAsync(default);
        (await store.GetAsync("t", default)).Should().BeNull();
    }

    [Fact]
    public async Task A_lock_that_is_released_in_time_only_delays_a_write()
    {
        await using var store = NewStore();
        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        Execute("begin immediate");
        var writing = store.CancelAsync("t", default).AsTask();
        await Task.Delay(_patience / 2);
        Execute("rollback");

        (await writing).Should().BeTrue();
    }

    [Fact]
    public async Task A_cancelled_caller_is_answered_at_once_while_the_file_is_locked()
    {
        var options = Options();
        options.BusyTimeout = TimeSpan.FromMinutes(5);
        var store = NewStore(options);
        using var cancelled = new CancellationTokenSource();
        Execute("begin immediate");
        var starting = store.StartAsync(cancelled.Token);
        var reading = store.GetAsync("t", cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await FluentActions.Awaiting(() => starting.WaitAsync(TimeSpan.FromSeconds(10))).Should()
            .ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => reading.WaitAsync(TimeSpan.FromSeconds(10))).Should()
            .ThrowAsync<OperationCanceledException>();
        Execute("rollback");

        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        Execute("begin immediate");
        using var enough = new CancellationTokenSource();
        var writing = store.CancelAsync("t", enough.Token).AsTask();
        await enough.CancelAsync();
        await FluentActions.Awaiting(() => writing.WaitAsync(TimeSpan.FromSeconds(10))).Should()
            .ThrowAsync<OperationCanceledException>();

        // Its last caller has cancelled, so the writer does not wait.
        await store.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_cancelled_caller_is_answered_at_once_while_its_step_runs()
    {
        using var file = new FaultyFile();
        await using var store = file.NewStore();
        using var cancelled = new CancellationTokenSource();
        var creating = store.CreateAsync([FaultyFile.Definition(FaultyFile.Slow)], OnConflict.Fail, cancelled.Token)
            .AsTask();
        await file.IsKept;

        await cancelled.CancelAsync();

        await FluentActions.Awaiting(() => creating.WaitAsync(TimeSpan.FromSeconds(10))).Should()
            .ThrowAsync<OperationCanceledException>();
        file.Release();
    }

    [Fact]
    public async Task A_read_fails_when_the_file_was_locked_for_the_busy_timeout()
    {
        using var file = new FaultyFile { Code = 5 };
        var options = file.Options;
        options.BusyTimeout = _patience;
        await using var store = file.NewStore(options: options);
        await store.StartAsync(default);

        await FailsAfterTheBusyTimeoutAsync(() => store.GetAsync(FaultyFile.Bad, default).AsTask());
    }

    [Fact]
    public async Task A_store_that_is_disposed_while_it_starts_does_not_wait_for_the_lock()
    {
        var options = Options();
        options.BusyTimeout = TimeSpan.FromMinutes(5);
        var store = NewStore(options);
        Execute("begin immediate");
        var starting = store.StartAsync(default);

        await store.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        await FluentActions.Awaiting(() => starting).Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => store.GetAsync("t", default).AsTask()).Should()
            .ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public async Task A_host_whose_file_is_locked_fails_its_start_within_the_busy_timeout()
    {
        Execute("begin immediate");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks().UseSqlite(_file.ConnectionString, options => options.BusyTimeout = _patience);
        using var host = builder.Build();

        await FailsAfterTheBusyTimeoutAsync(() => host.StartAsync());
    }

    private static async Task<SqliteException> FailsAfterTheBusyTimeoutAsync(Func<Task> call)
    {
        var time = Stopwatch.StartNew();
        var e = (await FluentActions.Awaiting(call).Should().ThrowAsync<SqliteException>()).Which;
        time.Elapsed.Should().BeGreaterThanOrEqualTo(_patience - TimeSpan.FromMilliseconds(20)).And
            .BeLessThan(_patience + _slack);
        e.SqliteErrorCode.Should().Be(5);
        return e;
    }

    private SqliteTasksOptions Options()
    {
        var options = _file.Options;
        options.BusyTimeout = _patience;
        return options;
    }

    private SqliteTaskStore NewStore(SqliteTasksOptions? options = null) =>
        new(
            options ?? Options(),
            TimeProvider.System,
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<SqliteTaskStore>.Instance);

    private void Execute(string text)
    {
        using var command = _other.CreateCommand();
        command.CommandText = text;
        command.ExecuteScalar();
    }
}

/// <summary>
/// Tests that bound real time. They run alone, since tests beside them would distort the measurement.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
