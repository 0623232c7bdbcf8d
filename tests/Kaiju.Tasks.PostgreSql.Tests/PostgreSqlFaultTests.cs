using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The effect of dying connections, concurrent managers and values that the server refuses.</summary>
public sealed class PostgreSqlFaultTests : IAsyncLifetime, IDisposable
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private static readonly TaskDefinitionChecker _checker = NewChecker();

    private string _connectionString = "";
    private NpgsqlDataSource? _dataSource;
    private PostgreSqlTaskStore? _store;
    private RelationalTaskQueue? _queue;

    private PostgreSqlTaskStore Store => _store!;

    private RelationalTaskQueue Queue => _queue!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(
            await server.CreateDatabaseAsync("faults"), "Application Name=victim");
        _dataSource = DedicatedDataSource.Build(_connectionString, false);
        _store = NewStore(_dataSource);
        _queue = new RelationalTaskQueue(_store, TimeProvider.System);
        await _store.StartAsync(default);
    }

    public void Dispose() => Queue.Dispose();

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await _dataSource!.DisposeAsync();
    }

    /// <summary>Concurrent creations share statements but not answers.</summary>
    [Fact]
    public async Task Concurrent_creations_of_the_same_ids_each_get_their_own_answer()
    {
        await Store.CreateAsync([Definition("known", 1)], OnConflict.Fail, default);

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(caller => Task.Run(async () =>
        {
            var onConflict = caller % 3 == 0 ? OnConflict.Skip : OnConflict.Fail;
            return (
                OnConflict: onConflict,
                Answers: await Store.CreateAsync(
                    [Definition($"t{caller % 6}", 1), Definition("known", 1), Definition($"own{caller}", 1)],
                    onConflict,
                    default));
        })));

        answers.Select(caller => caller.Answers[0]).GroupBy(answer => answer.TaskId).Should().HaveCount(6)
            .And.OnlyContain(same => same.Count(answer => answer.Result == CreateResult.Created) == 1);
        answers.Should().OnlyContain(
            caller => caller.Answers[1].Result == (caller.OnConflict == OnConflict.Skip
                ? CreateResult.Skipped
                : CreateResult.Refused));
        answers.Should().OnlyContain(caller => caller.Answers[2].Result == CreateResult.Created);
        answers.Should().OnlyContain(caller => caller.Answers[0].Result == CreateResult.Created
            || caller.Answers[0].Result == (caller.OnConflict == OnConflict.Skip
                ? CreateResult.Skipped
                : CreateResult.Refused));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_start_whose_connection_dies_is_retried(bool migrates)
    {
        await using var other = NewStore(_dataSource!, new PostgreSqlTasksOptions { MigrateAtStart = migrates });
        await using var holder = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_connectionString)
            {
                Pooling = false,
                ApplicationName = "holder",
            }.ToString());
        await holder.OpenAsync();
        await using var holding = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand(
            "lock table kaiju_tasks.migrations in access exclusive mode", holder, holding))
        {
            await hold.ExecuteNonQueryAsync();
        }

        // It reads the tables, waits there, and its connection ends.
        var starting = other.StartAsync(default);
        while (await EndAllAsync("wait_event_type = 'Lock'") == 0)
        {
            starting.IsCompleted.Should().BeFalse();
        }

        await holding.RollbackAsync();
        await starting.WaitAsync(_bound);

        (await other.CreateAsync(
            [Definition("t", 1)], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);
    }

    [Fact]
    public async Task A_creation_whose_kept_connection_has_died_happens_once_on_another_one()
    {
        await Store.CreateAsync([Definition("first", 1)], OnConflict.Fail, default);
        await EndAllAsync();

        (await Store.CreateAsync(
            [Definition("second", 1)], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);
        (await Store.CreateAsync(
            [Definition("second", 1)], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Refused);
    }

    [Fact]
    public async Task A_step_whose_connection_dies_is_retried()
    {
        await Store.CreateAsync([Definition("t", 2)], OnConflict.Fail, default);
        await EndAllAsync();
        (await Store.CreateAsync(
            [Definition("u", 1)], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);
        await EndAllAsync();
        (await Store.GetAsync("t", default)).Should().NotBeNull();
        await EndAllAsync();
        (await Store.HeartbeatAsync(_executor, [], default)).Should().BeEmpty();
        var claimed = (await Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 }, default))[0];
        await EndAllAsync();
        (await Store.RecordAsync([Report(claimed, 0)], default)).Should().Equal(ReportAnswer.Recorded);
    }

    [Fact]
    public async Task Listening_that_is_cut_off_resumes_and_missed_work_is_found()
    {
        var heard = new SemaphoreSlim(0);
        using var listening = Store.Listen(_ => heard.Release());
        await using var other = NewStore(_dataSource!);
        await other.CreateAsync([Definition("a", 1)], OnConflict.Fail, default);
        (await heard.WaitAsync(_bound)).Should().BeTrue("another process has created a task");

        // Waits for a hint from the new connection, which gives one itself when it listens.
        await EndAllAsync("query ilike 'listen%'");
        (await heard.WaitAsync(_bound)).Should().BeTrue();
        while (heard.Wait(0))
        {
        }

        await other.CreateAsync([Definition("b", 1)], OnConflict.Fail, default);
        (await heard.WaitAsync(_bound)).Should().BeTrue();
    }

    [Fact]
    public async Task A_half_open_listening_connection_is_noticed()
    {
        await using var proxy = new StallingProxy(new NpgsqlConnectionStringBuilder(_connectionString).Port);
        var through = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Host = "127.0.0.1",
            Port = proxy.Port,
            CancellationTimeout = 500,
        }.ToString();
        await using var dataSource = DedicatedDataSource.Build(through, false);
        await using var store = NewStore(
            dataSource, new PostgreSqlTasksOptions { KeepAliveInterval = TimeSpan.FromSeconds(1) });
        await store.StartAsync(default);
        var heard = new SemaphoreSlim(0);
        using var listening = store.Listen(_ => heard.Release());
        await Store.CreateAsync([Definition("a", 1)], OnConflict.Fail, default);
        (await heard.WaitAsync(_bound)).Should().BeTrue();
        while (heard.Wait(0))
        {
        }

        proxy.Stall();

        // Only silence reveals the dead connection. Then the store listens again, gives a hint, and receives others.
        (await heard.WaitAsync(_bound)).Should().BeTrue("the new connection searches for missed work");
        while (heard.Wait(0))
        {
        }

        await Store.CreateAsync([Definition("b", 1)], OnConflict.Fail, default);
        (await heard.WaitAsync(_bound)).Should().BeTrue();
    }

    [Fact]
    public async Task A_store_whose_server_does_not_answer_is_closed_within_a_bound()
    {
        await using var proxy = new StallingProxy(new NpgsqlConnectionStringBuilder(_connectionString).Port);
        var through = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Host = "127.0.0.1",
            Port = proxy.Port,
            CancellationTimeout = 500,
        }.ToString();
        await using var dataSource = DedicatedDataSource.Build(through, false);
        await using var store = NewStore(dataSource);
        using var queue = new RelationalTaskQueue(store, TimeProvider.System);
        await store.CreateAsync([Definition("a", 1)], OnConflict.Fail, default);
        var claimed = (await queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 }, default))[0];
        proxy.Stall();
        var creation = store.CreateAsync([Definition("b", 1)], OnConflict.Fail, default).AsTask();
        var report = store.RecordAsync([Report(claimed, 0)], default).AsTask();

        await store.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        creation.IsCompleted.Should().BeFalse("its statement is still under way");
        report.IsCompleted.Should().BeFalse();
    }

    [Fact]
    public async Task Any_number_of_managers_do_every_duty_once()
    {
        const int Tasks = 300;
        await Store.CreateAsync(
            [.. Enumerable.Range(0, Tasks).Select(
                i => Definition($"t{i:000}", 1) with { RunAt = DateTimeOffset.UnixEpoch.AddYears(200) })],
            OnConflict.Fail,
            default);
        await using (var due = _dataSource!.CreateCommand("update kaiju_tasks.states set due = 1, next_run = 1"))
        {
            await due.ExecuteNonQueryAsync();
        }

        var moved = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            var mine = new List<string>();
            while (await Store.QueueDueAsync(7, default) is { Count: > 0 } moves)
            {
                mine.AddRange(moves.Select(move => move.TaskId));
            }

            return mine;
        }));

        moved.SelectMany(mine => mine).Should().OnlyHaveUniqueItems();
        while (await Store.QueueDueAsync(100, default) is { Count: > 0 } rest)
        {
            moved = [.. moved, [.. rest.Select(move => move.TaskId)]];
        }

        moved.Sum(mine => mine.Count).Should().Be(Tasks);
    }

    [Fact]
    public async Task Retention_passes_over_held_rows_and_delays_no_claim()
    {
        await Store.CreateAsync([Definition("a", 1), Definition("b", 1), Definition("c", 1)], OnConflict.Fail, default);
        await Store.CancelAsync("a", default);
        await Store.CancelAsync("b", default);
        await using var connection = await _dataSource!.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand(
            "select 1 from kaiju_tasks.states s join kaiju_tasks.tasks t using (task_no) where t.id = 'a' for update "
                + "of s",
            connection,
            transaction);
        await hold.ExecuteScalarAsync();

        (await Store.DeleteEndedAsync(TaskState.Failed, TimeSpan.FromHours(-1), 10, default)).Should().Equal("b");
        (await Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 10, MaxBytes = 1_000_000 },
            default)).Select(task => task.Id)
            .Should().Equal("c");

        await transaction.RollbackAsync();
        (await Store.DeleteEndedAsync(TaskState.Failed, TimeSpan.FromHours(-1), 10, default)).Should().Equal("a");
    }

    [Fact]
    public async Task A_result_that_the_server_refuses_fails_its_stage_and_no_other()
    {
        // The reason does not matter: here it is a foreign rule on the table.
        await using (var rule = _dataSource!.CreateCommand(
            "alter table kaiju_tasks.results add check (result <> '\"poison\"')"))
        {
            await rule.ExecuteNonQueryAsync();
        }

        await Store.CreateAsync([Definition("a", 1), Definition("b", 1), Definition("c", 1)], OnConflict.Fail, default);
        var claimed = await Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 3, MaxBytes = 1_000_000 }, default);
        var reports = claimed.Select(task => Report(task, 0, task.Id == "b" ? "\"poison\"" : "1")).ToList();

        (await Store.RecordAsync(reports, default)).Should().Equal(
            ReportAnswer.Recorded, ReportAnswer.Recorded, ReportAnswer.Recorded);

        (await Store.GetAsync("a", default))!.State.Should().Be(TaskState.Finished);
        (await Store.GetAsync("c", default))!.State.Should().Be(TaskState.Finished);
        var poisoned = (await Store.GetAsync("b", default))!;
        poisoned.State.Should().Be(TaskState.Failed);
        poisoned.Error!.Kind.Should().Be(TaskErrorKind.Result);
        poisoned.Error.Message.Should().Contain("cannot hold the result");
    }

    [Fact]
    public async Task Deadlocks_and_chains_in_both_directions_are_resolved()
    {
        // Each of a pair starts the other when it has finished, and both finish at once.
        const int Pairs = 20;
        await Store.CreateAsync(
            [.. Enumerable.Range(0, Pairs).SelectMany(
                i => new[] { Definition(
                    $"a{i}", 1) with { NextTask = $"b{i}" }, Definition($"b{i}", 1) with { NextTask = $"a{i}" } })],
            OnConflict.Fail,
            default);
        var claimed = await Queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 2 * Pairs, MaxBytes = 1_000_000 }, default);
        await using var other = NewStore(_dataSource!);
        var answers = await Task.WhenAll(
            claimed.Select((task, i) => (i % 2 == 0 ? Store : other).RecordAsync([Report(task, 0)], default).AsTask()));

        answers.Should().AllSatisfy(answer => answer.Should().Equal(ReportAnswer.Recorded));
        (await Store.ListAsync(new TaskQuery(), null, 100, default)).Items.Should().AllSatisfy(
            task => task.State.Should().BeOneOf(TaskState.Finished, TaskState.Idle));
    }

    private static StageReport Report(ExecutorTask task, int stage, string json = "1") => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = stage,
        Outcome = StageOutcome.Completed(System.Text.Json.JsonElement.Parse(json)),
    };

    internal static TaskDefinition Definition(string id, int stages) =>
        _checker.Prepare(
            new TaskDefinition
            {
                Id = id,
                Commands = [.. Enumerable.Range(0, stages).Select(_ => new TaskCommand("do"))],
            });

    private static TaskDefinitionChecker NewChecker()
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks();
        return services.BuildServiceProvider().GetRequiredService<TaskDefinitionChecker>();
    }

    private static PostgreSqlTaskStore NewStore(NpgsqlDataSource dataSource, PostgreSqlTasksOptions? options = null) =>
        new(
            dataSource,
            options ?? new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);

    /// <summary>Ends connections of this test's database at the server, and returns their number.</summary>
    private async Task<int> EndAllAsync(string which = "true")
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_connectionString)
            {
                Pooling = false,
                ApplicationName = "killer",
            }.ToString());
        await connection.OpenAsync();
        await using var end = new NpgsqlCommand(
            $"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and "
                + $"application_name = 'victim' and {which}",
            connection);
        var ended = 0;
        await using var rows = await end.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            ended++;
        }

        return ended;
    }
}
