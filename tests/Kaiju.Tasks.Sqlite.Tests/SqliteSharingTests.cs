using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>Several stores on one file, as several processes have them.</summary>
public sealed class SqliteSharingTests : IDisposable
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };
    private readonly TemporaryFile _file = new();
    private readonly SqliteTaskStore _one;
    private readonly SqliteTaskStore _other;

    public SqliteSharingTests() => (_one, _other) = (NewStore(), NewStore());

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
        _file.Dispose();
    }

    [Fact]
    public async Task A_queue_notices_tasks_of_another_process()
    {
        using var queue = new RelationalTaskQueue(_other, TimeProvider.System);
        var waiting = queue.WaitAsync(_executor, TimeSpan.FromDays(1), default).AsTask();

        await _one.CreateAsync([Definition("t")], OnConflict.Fail, default);

        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        (await queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 },
            default)).Should().ContainSingle().Which.Id
            .Should().Be("t");
    }

    [Fact]
    public async Task Writers_of_several_processes_wait_for_each_other_and_readers_do_not_wait()
    {
        await _one.CreateAsync(
            [.. Enumerable.Range(0, 200).Select(i => Definition($"t{i}"))], OnConflict.Fail, default);
        async Task<int> ClaimAllAsync(SqliteTaskStore store)
        {
            using var queue = new RelationalTaskQueue(store, TimeProvider.System);
            var count = 0;
            while (await queue.ClaimAsync(
                new ClaimRequest { Executor = _executor, MaxTasks = 3, MaxBytes = long.MaxValue },
                default) is { Count: > 0 } claimed)
            {
                count += claimed.Count;
                (await store.GetAsync(claimed[0].Id, default))!.State.Should().Be(TaskState.Executing);
            }

            return count;
        }

        var claimed = await Task.WhenAll(Task.Run(() => ClaimAllAsync(_one)), Task.Run(() => ClaimAllAsync(_other)));

        claimed.Sum().Should().Be(200);
    }

    [Fact]
    public async Task Reads_succeed_while_another_process_holds_the_write_lock()
    {
        await _one.CreateAsync([Definition("t")], OnConflict.Fail, default);
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "begin immediate";
        command.ExecuteNonQuery();
        var writing = _other.CancelAsync("t", default).AsTask();

        (await _other.GetAsync("t", default))!.State.Should().Be(TaskState.Queued);
        writing.IsCompleted.Should().BeFalse();
        command.CommandText = "rollback";
        command.ExecuteNonQuery();
        (await writing.WaitAsync(TimeSpan.FromSeconds(30))).Should().BeTrue();
    }

    [Fact]
    public async Task A_lock_that_is_not_released_fails_the_step_and_not_the_store()
    {
        var options = _file.Options;
        options.BusyTimeout = TimeSpan.FromMilliseconds(100);
        using var impatient = NewStore(options);
        await impatient.CreateAsync([Definition("t")], OnConflict.Fail, default);
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "begin immediate";
        command.ExecuteNonQuery();

        (await FluentActions.Awaiting(() => impatient.CancelAsync("t", default).AsTask()).Should()
            .ThrowAsync<SqliteException>()).Which.SqliteErrorCode.Should().Be(5);

        command.CommandText = "rollback";
        command.ExecuteNonQuery();
        (await impatient.CancelAsync("t", default)).Should().BeTrue();
    }

    [Fact]
    public async Task A_failed_step_does_not_fail_the_steps_committed_with_it()
    {
        // One commit has all the steps that waited while the lock was held.
        await _one.CreateAsync([Definition("t")], OnConflict.Fail, default);
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "begin immediate";
        command.ExecuteNonQuery();
        using var cancelled = new CancellationTokenSource();
        var before = _other.CreateAsync([Definition("before")], OnConflict.Fail, default).AsTask();
        var abandoned = _other.CreateAsync([Definition("abandoned")], OnConflict.Fail, cancelled.Token).AsTask();
        var broken = _other.UpdateAsync(
            Definition("t") with { MaxExecTimeout = TimeSpan.FromSeconds(20), Cron = "61 * * * *" }, 0, default)
            .AsTask();
        var after = _other.CreateAsync([Definition("after")], OnConflict.Fail, default).AsTask();
        await cancelled.CancelAsync();
        command.CommandText = "rollback";
        command.ExecuteNonQuery();

        await Task.WhenAll(before, after);
        await FluentActions.Awaiting(() => abandoned).Should().ThrowAsync<OperationCanceledException>();
        await broken.ContinueWith(_ => { }, TaskScheduler.Default);
        (await _one.ListAsync(new TaskQuery(), null, 10, default)).Items.Select(task => task.Id)
            .Should().BeEquivalentTo("t", "before", "after");
    }

    [Fact]
    public async Task A_file_that_is_temporarily_gone_fails_the_step_and_not_the_store()
    {
        using var file = new TemporaryFile();
        var options = file.Options;
        options.ConnectionString = $"Data Source={file.Path}/folder/tasks.db";
        using var store = NewStore(options);
        await FluentActions.Awaiting(() => store.CreateAsync([Definition("t")], OnConflict.Fail, default).AsTask())
            .Should().ThrowAsync<Exception>();

        Directory.CreateDirectory($"{file.Path}/folder");
        (await store.CreateAsync(
            [Definition("t")], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);
    }

    private static TaskDefinition Definition(string id)
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks();
        return services.BuildServiceProvider().GetRequiredService<TaskDefinitionChecker>().Prepare(
            new TaskDefinition { Id = id, Commands = [new("do")] });
    }

    private SqliteTaskStore NewStore(SqliteTasksOptions? options = null)
    {
        options ??= _file.Options;
        options.ChangePollInterval = TimeSpan.FromMilliseconds(10);
        return new SqliteTaskStore(
            options, TimeProvider.System, new LifecycleRules(), IdSource.Random, NullLogger<SqliteTaskStore>.Instance);
    }
}
