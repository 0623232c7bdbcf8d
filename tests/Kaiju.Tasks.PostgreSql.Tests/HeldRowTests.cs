using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// Another transaction holds one task's row, or an id, without a bound. Calls about other tasks are answered however
/// the lock timeout is set: by the connection or by each statement.
/// </summary>
public abstract class HeldRowTests : IAsyncLifetime, IDisposable
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 100,
    };
    private static readonly OnConflict[] _policies = [OnConflict.Skip, OnConflict.Fail, OnConflict.Replace];

    /// <summary>Many times the needed time, and less than any unbounded wait.</summary>
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private string _connectionString = "";
    private NpgsqlDataSource? _dataSource;
    private PostgreSqlTaskStore? _store;
    private RelationalTaskQueue? _queue;
    private NpgsqlConnection? _holder;
    private NpgsqlTransaction? _holding;

    private PostgreSqlTaskStore Store => _store!;

    /// <summary>The store's way to the database.</summary>
    private protected abstract Task<(
        NpgsqlDataSource DataSource, PostgreSqlTasksOptions Options)> OpenAsync(string database);

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        var database = await server.CreateDatabaseAsync("held");
        _connectionString = server.ConnectionString(database, "Pooling=false;Application Name=holder");
        (_dataSource, var options) = await OpenAsync(database);
        _store = NewStore(options);
        _queue = new RelationalTaskQueue(_store, TimeProvider.System);
        await _store.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await ReleaseAsync();
        await Store.DisposeAsync();
        await _dataSource!.DisposeAsync();
    }

    public void Dispose()
    {
        _queue!.Dispose();
        _holder?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Reports_of_other_tasks_are_recorded_and_that_of_the_held_task_when_it_is_free()
    {
        var claimed = await ClaimAsync([.. Enumerable.Range(0, 6).Select(i => Definition($"t{i}", 1))]);
        await HoldAsync("t3");

        var reports = claimed.ToDictionary(
            task => task.Id, task => Store.RecordAsync([Report(task)], default).AsTask());
        var held = reports["t3"];
        reports.Remove("t3");
        (await Task.WhenAll(reports.Values).WaitAsync(_soon))
            .Should().AllSatisfy(answers => answers.Should().Equal(ReportAnswer.Recorded));
        held.IsCompleted.Should().BeFalse();
        await ReleaseAsync();

        (await held.WaitAsync(_bound)).Should().Equal(ReportAnswer.Recorded);
        (await StatesAsync()).Should().AllSatisfy(task => task.State.Should().Be(TaskState.Finished));
    }

    [Fact]
    public async Task Reports_that_are_decided_by_the_lifecycle_also_pass_over_a_held_task()
    {
        var claimed = await ClaimAsync([.. Enumerable.Range(0, 6).Select(i => Definition($"t{i}", 1))]);
        await HoldAsync("t3");

        var reports = claimed.Select(
            task => Report(task).WithOutcome(StageOutcome.Failed(TaskError.Create(TaskErrorKind.Result, "no"))))
            .ToList();
        var others = Store.RecordAsync([.. reports.Where(report => report.TaskId != "t3")], default).AsTask();
        var held = Store.RecordAsync([reports.Single(report => report.TaskId == "t3")], default).AsTask();
        (await others.WaitAsync(_soon)).Should()
            .HaveCount(5).And.OnlyContain(answer => answer == ReportAnswer.Recorded);
        await ReleaseAsync();

        (await held.WaitAsync(_bound)).Should().Equal(ReportAnswer.Recorded);
        (await StatesAsync()).Should().AllSatisfy(task => task.State.Should().Be(TaskState.Failed));
    }

    [Fact]
    public async Task Runs_that_start_other_tasks_do_not_wait_for_the_run_whose_next_task_is_held()
    {
        await CreateAsync(
            [.. Enumerable.Range(0, 6).Select(
                i => Definition($"next{i}", 1) with { RunAt = TaskDefinition.OnDemand })]);
        var claimed = await ClaimAsync(
            [.. Enumerable.Range(0, 6).Select(
                i => Definition($"t{i}", 1) with { NextTask = $"next{i}" }),
                Definition("t6",
                1) with { NextTask = "missing" }]);
        await HoldAsync("next3");

        var reports = claimed.ToDictionary(
            task => task.Id, task => Store.RecordAsync([Report(task)], default).AsTask());
        var held = reports["t3"];
        reports.Remove("t3");
        await Task.WhenAll(reports.Values).WaitAsync(_soon);
        held.IsCompleted.Should().BeFalse();
        (await Store.GetAsync("t4", default))!.Chain.Should().Be(ChainResult.Started);
        (await Store.GetAsync("t6", default))!.Chain.Should().Be(ChainResult.Missing);
        await ReleaseAsync();

        await held.WaitAsync(_bound);
        (await Store.GetAsync("t3", default))!.Chain.Should().Be(ChainResult.Started);
    }

    [Fact]
    public async Task A_wait_that_ends_and_starts_a_held_task_does_not_hold_up_the_other_waits()
    {
        await CreateAsync(
            [Definition(
                "next0",
                1) with { RunAt = TaskDefinition.OnDemand },
                Definition("next1",
                1) with { RunAt = TaskDefinition.OnDemand }]);
        var claimed = await ClaimAsync(
            [.. Enumerable.Range(0, 2).Select(i => Definition($"t{i}", 1) with { NextTask = $"next{i}" })]);
        (await Store.RecordAsync(
            [.. claimed.Select(task => Report(task).WithOutcome(StageOutcome.WaitFor(TimeSpan.FromTicks(1))))],
            default))
            .Should().OnlyContain(answer => answer == ReportAnswer.Recorded);
        await HoldAsync("next0");

        (await Store.WakeWaitsAsync(100, default).AsTask().WaitAsync(_soon))
            .Select(move => move.TaskId).Should().Equal("t1");
        await ReleaseAsync();

        (await Store.WakeWaitsAsync(100, default).AsTask().WaitAsync(_soon))
            .Select(move => move.TaskId).Should().Equal("t0");
    }

    [Fact]
    public async Task Creations_of_other_ids_are_answered_while_another_transaction_creates_one()
    {
        await HoldNewAsync("t25");

        var creations = Enumerable.Range(0, 51)
            .Select(i => Store.CreateAsync([Definition($"t{i}", 1)], OnConflict.Fail, default).AsTask()).ToList();
        var held = creations[25];
        creations.RemoveAt(25);
        (await Task.WhenAll(creations).WaitAsync(_soon))
            .Should().AllSatisfy(answers => answers[0].Result.Should().Be(CreateResult.Created));
        held.IsCompleted.Should().BeFalse();

        // Another creation of the same id does not delay the others either.
        var again = Store.CreateAsync([Definition("t25", 1)], OnConflict.Skip, default).AsTask();
        (await Store.CreateAsync([Definition("other", 1)], OnConflict.Fail, default).AsTask()
            .WaitAsync(_soon))[0].Result.Should().Be(CreateResult.Created);
        await ReleaseAsync();

        var results = new[] { (await held.WaitAsync(_bound))[0].Result, (await again.WaitAsync(_bound))[0].Result };
        results.Should().Contain(CreateResult.Created).And.ContainSingle(
            result => result == CreateResult.Skipped || result == CreateResult.Refused);
    }

    /// <summary>Decided separately they would be as many commits.</summary>
    [Fact]
    public async Task A_task_that_a_batch_passes_over_does_not_split_the_batch()
    {
        const int Tasks = 300;
        await HoldNewAsync("t150");
        var creations = Enumerable.Range(0, Tasks)
            .Select(i => Store.CreateAsync([Definition($"t{i}", 1)], OnConflict.Fail, default).AsTask()).ToList();
        await Task.WhenAll(creations.Where((_, place) => place != 150)).WaitAsync(_bound);
        (await ScalarAsync("select count(distinct xmin::text) from kaiju_tasks.tasks")).Should().BeOfType<long>().Which
            .Should().BeLessThan(Tasks / 3);
        await ReleaseAsync();
        await creations[150].WaitAsync(_bound);

        var claimed = await _queue!.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = Tasks, MaxBytes = long.MaxValue }, default);
        await HoldAsync("t150");
        var held = Store.RecordAsync([.. claimed.Select(Report)], default).AsTask();
        await UntilAsync(async () => await ScalarAsync("select count(*) from kaiju_tasks.results") is Tasks - 1L);
        (await ScalarAsync("select count(distinct xmin::text) from kaiju_tasks.results")).Should().Be(1L);
        await ReleaseAsync();
        (await held.WaitAsync(_bound)).Should()
            .HaveCount(Tasks).And.OnlyContain(answer => answer == ReportAnswer.Recorded);
    }

    [Fact]
    public async Task A_creation_of_an_id_that_another_transaction_commits_finds_that_task()
    {
        await HoldNewAsync("t");
        var creation = Store.CreateAsync(
            [Definition("a", 1), Definition("t", 1), Definition("b", 1)], OnConflict.Fail, default)
            .AsTask();
        await ReleaseAsync(commits: true);

        (await creation.WaitAsync(_bound)).Select(answer => answer.Result).Should()
            .Equal(CreateResult.Created, CreateResult.Refused, CreateResult.Created);
    }

    [Fact]
    public async Task Items_of_one_creation_that_are_decided_alone_do_not_wait_for_the_held_one()
    {
        var at = DateTimeOffset.UtcNow.AddYears(1);
        await HoldNewAsync("t2");
        var creation = Store.CreateAsync(
            [.. Enumerable.Range(0, 5).Select(i => Definition($"t{i}", 1) with { RunAt = at })],
            OnConflict.Fail,
            default)
            .AsTask();

        await UntilAsync(async () => (await StatesAsync()).Count == 4);
        creation.IsCompleted.Should().BeFalse();
        await ReleaseAsync();

        (await creation.WaitAsync(_bound)).Should()
            .HaveCount(5).And.OnlyContain(answer => answer.Result == CreateResult.Created);
    }

    [Fact]
    public async Task A_waiting_creation_ends_when_its_caller_cancels_or_the_store_is_closed()
    {
        await HoldNewAsync("t");
        using var cancel = new CancellationTokenSource();
        var first = Store.CreateAsync([Definition("t", 1)], OnConflict.Fail, cancel.Token).AsTask();
        var second = Store.CreateAsync([Definition("t", 1)], OnConflict.Fail, default).AsTask();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => first.WaitAsync(_soon)).Should().ThrowAsync<OperationCanceledException>();

        await Store.DisposeAsync().AsTask().WaitAsync(_soon);
        await FluentActions.Awaiting(() => second.WaitAsync(_soon)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public async Task A_creation_that_changes_nothing_holds_no_lock()
    {
        await CreateAsync([Definition("t", 1)]);
        var claimed = await _queue!.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 }, default);
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var onConflict in _policies)
        {
            (await Store.CreateAsync([Definition("t", 1)], onConflict, transaction, default))[0].Result.Should().Be(
                onConflict == OnConflict.Skip ? CreateResult.Skipped : CreateResult.Refused);
        }

        (await Store.RecordAsync([Report(claimed[0])], default).AsTask().WaitAsync(_soon))
            .Should().Equal(ReportAnswer.Recorded);
        (await Store.DeleteAsync("t", default).AsTask().WaitAsync(_soon)).Should().BeTrue();
        await using var limit = new NpgsqlCommand("show lock_timeout", connection, transaction);
        (await limit.ExecuteScalarAsync()).Should().Be(
            "0", "how long the caller's own statements wait is the caller's affair");
    }

    [Fact]
    public async Task A_known_id_is_answered_while_its_row_is_held()
    {
        await CreateAsync([Definition("t", 1)]);
        var run = (await Store.GetAsync("t", default))!.JobId;
        await HoldAsync("t");

        (await Store.CreateAsync([Definition("t", 1)], OnConflict.Skip, default).AsTask().WaitAsync(_soon))[0]
            .Should().Be(new CreateAnswer
            {
                TaskId = "t",
                JobId = run,
                Result = CreateResult.Skipped,
                State = TaskState.Queued,
            });
        (await Store.CreateAsync([Definition("t", 1)], OnConflict.Fail, default).AsTask()
            .WaitAsync(_soon))[0].Result.Should().Be(CreateResult.Refused);
        (await Store.CreateAsync([Definition("t", 1)], OnConflict.Replace, default).AsTask()
            .WaitAsync(_soon))[0].Result.Should().Be(CreateResult.Refused, "it is not at rest");
    }

    [Fact]
    public async Task An_executor_that_stops_releases_all_its_tasks_except_the_held_one()
    {
        await ClaimAsync([.. Enumerable.Range(0, 6).Select(i => Definition($"t{i}", 1))]);
        await HoldAsync("t3");

        (await Store.SuspendExecutorAsync(_executor.Id, default).AsTask().WaitAsync(_bound)).Should().HaveCount(5);
        (await StatesAsync()).Where(task => task.Id != "t3").Should().OnlyContain(
            task => task.State == TaskState.Suspended);
        (await Store.ListExecutorsAsync(default)).Should().ContainSingle(
            "it still holds a task and must be expelled with it");
        await ReleaseAsync();

        (await Store.SuspendExecutorAsync(_executor.Id, default)).Should().ContainSingle();
        (await Store.ListExecutorsAsync(default)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_held_task_of_an_executor_that_stops_is_released_when_it_is_free()
    {
        await ClaimAsync([.. Enumerable.Range(0, 3).Select(i => Definition($"t{i}", 1))]);
        await HoldAsync("t1");
        var end = Store.SuspendExecutorAsync(_executor.Id, default).AsTask();
        await UntilAsync(async () => (await StatesAsync()).Count(task => task.State == TaskState.Suspended) == 2);
        await ReleaseAsync();

        (await end.WaitAsync(_bound)).Should().HaveCount(3);
        (await Store.ListExecutorsAsync(default)).Should().BeEmpty();
    }

    /// <summary>Calls every member of the port for other tasks.</summary>
    [Fact]
    public async Task Every_member_answers_for_other_tasks()
    {
        await CreateAsync(
            [.. Enumerable.Range(0, 9).Select(
                i => Definition($"t{i}", 2)),
                Definition("held",
                1),
                Definition("rest",
                1) with { RunAt = TaskDefinition.OnDemand }]);
        var claimed = await Store.ClaimAsync(_executor, ["t0", "t1", "t2", "held"], default);
        await HoldAsync("held");

        foreach (var (name, act) in Members(claimed.Single(task => task.Id == "t0")))
        {
            var call = act();
            (await Task.WhenAny(
                call, Task.Delay(_soon, TimeProvider.System))).Should().Be(call, "{0} is about other tasks", name);
            await call;
        }
    }

    private IEnumerable<(string Name, Func<Task> Act)> Members(ExecutorTask claimed)
    {
        var data = JsonElement.Parse("{}");
        return
        [
            ("Create", () => Store.CreateAsync([Definition("new", 1)], OnConflict.Fail, default).AsTask()),
            (
                "Create, replacing",
                () => Store.CreateAsync([Definition("rest", 1)], OnConflict.Replace, default).AsTask()),
            (
                "Create at a time",
                () => Store.CreateAsync(
                    [Definition("late", 1) with { RunAt = DateTimeOffset.UtcNow.AddYears(1) }],
                    OnConflict.Fail,
                    default)
                    .AsTask()),
            ("Import", () => Store.ImportAsync([], [], default).AsTask()),
            ("Get", () => Store.GetAsync("held", default).AsTask()),
            ("List", () => Store.ListAsync(new TaskQuery(), null, 100, default).AsTask()),
            ("Update", () => Store.UpdateAsync(Definition("t8", 2) with { Priority = 1 }, 0, default).AsTask()),
            ("Cancel", () => Store.CancelAsync("t7", default).AsTask()),
            ("Reset", () => Store.ResetAsync("t7", default).AsTask()),
            ("SendMessage", () => Store.SendMessageAsync("t6", data, default).AsTask()),
            ("Delete", () => Store.DeleteAsync("t6", default).AsTask()),
            (
                "DeleteEnded, finished",
                () => Store.DeleteEndedAsync(TaskState.Finished, TimeSpan.Zero, 100, default).AsTask()),
            (
                "DeleteEnded, failed",
                () => Store.DeleteEndedAsync(TaskState.Failed, TimeSpan.Zero, 100, default).AsTask()),
            ("ExpelDeadExecutors", () => ((ITaskStore)Store).ExpelDeadExecutorsAsync(100, default).AsTask()),
            ("AbortOverdue", () => Store.AbortOverdueAsync(100, default).AsTask()),
            ("RestartPeriodic", () => Store.RestartPeriodicAsync(100, default).AsTask()),
            ("WakeWaits", () => Store.WakeWaitsAsync(100, default).AsTask()),
            ("QueueDue", () => Store.QueueDueAsync(100, default).AsTask()),
            ("RequeueFailed", () => Store.RequeueFailedAsync(100, default).AsTask()),
            ("GetTimeToNextDuty", () => Store.GetTimeToNextDutyAsync(default).AsTask()),
            ("FindUnattended", () => Store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default).AsTask()),
            (
                "Claim",
                () => _queue!.ClaimAsync(new ClaimRequest { Executor = _executor, MaxTasks = 1, MaxBytes = 1 }, default)
                    .AsTask()),
            (
                "Claim by ids",
                async () => (await Store.ClaimAsync(_executor, ["held", "t5"], default)).Should().ContainSingle()),
            (
                "Record",
                async () =>
                    (await Store.RecordAsync([Report(claimed)], default)).Should().Equal(ReportAnswer.Recorded)),
            (
                "Heartbeat",
                () => Store.HeartbeatAsync(_executor, [new HeldClaim(claimed.Id, claimed.Claim)], default).AsTask()),
            (
                "FindLostClaims",
                () => Store.FindLostClaimsAsync([new HeldClaim(claimed.Id, claimed.Claim)], default).AsTask()),
            ("ListExecutors", () => Store.ListExecutorsAsync(default).AsTask()),
            (
                "GiveBackStrayClaims",
                () => Store.GiveBackStrayClaimsAsync(_executor.Id, [new HeldClaim(claimed.Id, claimed.Claim)], default)
                    .AsTask()),
            ("SuspendExecutor", () => Store.SuspendExecutorAsync(_executor.Id, default).AsTask()),
            ("ListUndelivered", () => Store.ListUndeliveredAsync(100, default).AsTask()),
            ("MarkRead", () => Store.MarkReadAsync([1], default).AsTask()),
            ("MarkDelivered", () => Store.MarkDeliveredAsync([1], default).AsTask()),
            ("DeleteNotifications", () => Store.DeleteNotificationsAsync(TimeSpan.Zero, 100, default).AsTask()),
        ];
    }

    [Fact]
    public async Task An_executor_whose_neighbours_row_is_held_can_ping()
    {
        await Store.HeartbeatAsync(_executor.With(e => e.Id, "neighbour"), [], default);
        await Store.HeartbeatAsync(_executor, [], default);
        await HoldAsync("select 1 from kaiju_tasks.executors where id = 'neighbour' for update", null);

        var neighbour = Store.HeartbeatAsync(_executor.With(e => e.Id, "neighbour"), [], default).AsTask();
        for (var beats = 0; beats < 3; beats++)
        {
            await Store.HeartbeatAsync(_executor, [], default).AsTask().WaitAsync(_soon);
        }

        neighbour.IsCompleted.Should().BeFalse();
        await ReleaseAsync();
        await neighbour.WaitAsync(_bound);
    }

    [Fact]
    public async Task A_step_on_the_held_task_itself_completes_when_it_is_free()
    {
        await CreateAsync([Definition("t", 1)]);
        await HoldAsync("t");
        var cancel = Store.CancelAsync("t", default).AsTask();
        (await Store.CancelAsync("unknown", default)).Should().BeFalse();
        cancel.IsCompleted.Should().BeFalse();
        await ReleaseAsync();

        (await cancel.WaitAsync(_bound)).Should().BeTrue();
    }

    [Fact]
    public async Task A_migration_waits_for_a_locked_table_without_a_timeout()
    {
        await HoldAsync("lock table kaiju_tasks.migrations in access exclusive mode", null);
        var migration = PostgreSqlSchema.MigrateAsync(_dataSource!);
        await UntilAsync(
            async () => await ScalarAsync(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = "
                    + "'Lock' and query_start < now() - interval '300 ms'") is > 0L);
        migration.IsCompleted.Should().BeFalse();
        await ReleaseAsync();

        (await migration.WaitAsync(_bound)).Should().Be(0);
    }

    private static StageReport Report(ExecutorTask task) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = 0,
        Outcome = StageOutcome.Completed(JsonElement.Parse("1")),
    };

    private protected static TaskDefinition Definition(string id, int stages) =>
        PostgreSqlFaultTests.Definition(id, stages);

    private PostgreSqlTaskStore NewStore(PostgreSqlTasksOptions options) =>
        new(_dataSource!, options, new LifecycleRules(), IdSource.Random, NullLogger<PostgreSqlTaskStore>.Instance);

    private async Task CreateAsync(IReadOnlyList<TaskDefinition> tasks) =>
        (await Store.CreateAsync(tasks, OnConflict.Fail, default)).Should().OnlyContain(
            answer => answer.Result == CreateResult.Created);

    private async Task<IReadOnlyList<ExecutorTask>> ClaimAsync(IReadOnlyList<TaskDefinition> tasks)
    {
        await CreateAsync(tasks);
        var claimed = await _queue!.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = tasks.Count, MaxBytes = long.MaxValue }, default);
        claimed.Should().HaveCount(tasks.Count);
        return claimed;
    }

    private async Task<IReadOnlyList<TaskRecord>> StatesAsync() =>
        (await Store.ListAsync(new TaskQuery(), null, 100, default)).Items;

    private Task HoldAsync(string taskId) => HoldAsync(
        "select 1 from kaiju_tasks.tasks t join kaiju_tasks.states s using (task_no) where t.id = $1 for update",
        taskId);

    /// <summary>Creates a task in a transaction that stays open.</summary>
    private async Task HoldNewAsync(string taskId)
    {
        await BeginAsync();
        (await Store.CreateAsync(
            [Definition(taskId, 1)], OnConflict.Fail, _holding!, default))[0].Result.Should().Be(CreateResult.Created);
    }

    private async Task HoldAsync(string statement, string? argument)
    {
        await BeginAsync();
        await using var hold = new NpgsqlCommand(statement, _holder, _holding);
        if (argument is not null)
        {
            hold.Parameters.Add(new NpgsqlParameter { Value = argument });
        }

        await hold.ExecuteNonQueryAsync();
    }

    private async Task BeginAsync()
    {
        _holder = new NpgsqlConnection(_connectionString);
        await _holder.OpenAsync();
        _holding = await _holder.BeginTransactionAsync();
    }

    private async Task ReleaseAsync(bool commits = false)
    {
        if (_holder is not null)
        {
            await (commits ? _holding!.CommitAsync() : _holding!.RollbackAsync());
            await _holder.DisposeAsync();
            _holder = null;
        }
    }

    private async Task<object?> ScalarAsync(string text)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(text, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var enough = new CancellationTokenSource(_bound);
        while (!await isSo())
        {
            enough.Token.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>The pool is the adapter's own, and the lock timeout an option of its connections.</summary>
public sealed class HeldRowOwnPoolTests : HeldRowTests
{
    private protected override async Task<(
        NpgsqlDataSource DataSource, PostgreSqlTasksOptions Options)> OpenAsync(string database) =>
        (
            DedicatedDataSource.Build((await Servers.PostgresAsync()).ConnectionString(database), false),
            new PostgreSqlTasksOptions());
}

/// <summary>The pool is the user's; its connections have no lock timeout.</summary>
public sealed class HeldRowUsersPoolTests : HeldRowTests
{
    private protected override async Task<(
        NpgsqlDataSource DataSource, PostgreSqlTasksOptions Options)> OpenAsync(string database) =>
        (
            NpgsqlDataSource.Create((await Servers.PostgresAsync()).ConnectionString(database)),
            new PostgreSqlTasksOptions());
}

/// <summary>Connections are shared with other clients between transactions.</summary>
public sealed class HeldRowBouncedTests : HeldRowTests
{
    private protected override async Task<(
        NpgsqlDataSource DataSource, PostgreSqlTasksOptions Options)> OpenAsync(string database) =>
        (
            DedicatedDataSource.Build((await Servers.BouncerAsync()).ConnectionString(database), true),
            new PostgreSqlTasksOptions { PollingOnly = true });
}
