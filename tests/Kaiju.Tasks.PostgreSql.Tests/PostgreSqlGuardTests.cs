using Kaiju.Tasks.Lifecycle;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// Guards against concurrent changes in the middle of a step; each of these tests fails without its guard.
/// </summary>
public sealed class PostgreSqlGuardTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_step_that_waited_for_an_update_sees_the_new_definition_with_the_new_state()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a") with { Description = "before" });
        await using var connection = await rig.DataSource.OpenConnectionAsync();
        await using var update = await connection.BeginTransactionAsync();
        await ExecuteAsync(rig, connection, "update [states] set revision = 1, priority = 9");
        await ExecuteAsync(
            rig, connection, "update [tasks] set revision = 1, definition = replace(definition, 'before', 'after')");
        var claiming = rig.Beside.ClaimAsync(CutRig.Executor, ["a"], default).AsTask();
        await WaitsOrEndsAsync(rig, claiming);

        await update.CommitAsync();

        (await claiming.WaitAsync(_bound)).Should().ContainSingle();
        (await rig.Beside.GetAsync("a", default))!.Should().BeEquivalentTo(
            new { Revision = 1, State = TaskState.Executing });
        (await rig.AskAsync<int>("select revision from [states]")).Should().Be(1);
        (await rig.AskAsync<string>("select definition from [tasks]")).Should().Contain("after");
    }

    [Fact]
    public async Task A_creation_that_fails_in_the_callers_transaction_leaves_nothing_and_keeps_it_usable()
    {
        await using var rig = await CutRig.StartAsync();

        // By then the definition is stored, and its state is refused.
        await rig.ExecuteAsync("alter table [states] add check (priority <> 77)");
        await using var connection = await rig.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await FluentActions.Awaiting(
            () => rig.Beside.CreateAsync(
                [CutMembers.Define("bad") with { Priority = 77 }], OnConflict.Fail, transaction, default)
                .AsTask())
            .Should().ThrowAsync<PostgresException>();
        await rig.Beside.CreateAsync([CutMembers.Define("good")], OnConflict.Fail, transaction, default);
        await transaction.CommitAsync();

        (await rig.Beside.ListAsync(new TaskQuery(), null, 10, default)).Items.Should()
            .ContainSingle().Which.Id.Should().Be("good");
        (await rig.AskAsync<long>("select count(*) from [tasks]")).Should().Be(1);
    }

    [Fact]
    public async Task A_creation_that_is_cancelled_in_the_callers_transaction_keeps_it_usable()
    {
        await using var rig = await CutRig.StartAsync();
        await using var other = await rig.DataSource.OpenConnectionAsync();
        await using var holding = await other.BeginTransactionAsync();
        await rig.Beside.CreateAsync([CutMembers.Define("held")], OnConflict.Fail, holding, default);

        // A connection of the caller, which waits without a timeout.
        await using var connection = new NpgsqlConnection(
            (await Servers.PostgresAsync()).ConnectionString(await Servers.DatabaseAsync()));
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        using var giveUp = new CancellationTokenSource();
        var creating = rig.Beside.CreateAsync([CutMembers.Define("held")], OnConflict.Fail, transaction, giveUp.Token)
            .AsTask();
        await WaitsOrEndsAsync(rig, creating);

        await giveUp.CancelAsync();
        await FluentActions.Awaiting(() => creating.WaitAsync(_bound)).Should()
            .ThrowAsync<OperationCanceledException>();

        await rig.Beside.CreateAsync([CutMembers.Define("good")], OnConflict.Fail, transaction, default);
        await transaction.CommitAsync();
        (await rig.Beside.GetAsync("good", default)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_run_that_ends_while_runs_are_listed_is_listed_once()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.EndedAsync(rig);
        var run = (await rig.Beside.GetAsync("a", default))!.JobId;
        await using var connection = await rig.DataSource.OpenConnectionAsync();
        await using var reset = await connection.BeginTransactionAsync();
        await ExecuteAsync(rig, connection, "lock table [runs] in access exclusive mode");
        var listing = rig.Beside.ListRunsAsync("a", default).AsTask();
        await WaitsOrEndsAsync(rig, listing);

        // The task has been read, and its earlier runs have not: now its current run becomes an earlier one.
        await ExecuteAsync(
            rig,
            connection,
            """
            insert into [runs] (task_no, run_no, pass, job_id, state, exit_code, retries, chain, ended)
            select task_no, run_no, pass, job_id, state, exit_code, retries, chain, status_change from [states]
            """);
        await ExecuteAsync(
            rig,
            connection,
            "update [states] set job_id = 'next', run_no = run_no + 1, result_run_no = result_run_no + 1, state = 0, "
                + "exit_code = null");
        await reset.CommitAsync();

        (await listing.WaitAsync(_bound)).Select(listed => listed.JobId).Should().Equal(run);
    }

    [Fact]
    public async Task A_dead_executor_whose_tasks_are_held_does_not_delay_the_expulsion_of_others()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.ClaimedAsync(rig);
        rig.Advance(TimeSpan.FromHours(1));
        await using var connection = await rig.DataSource.OpenConnectionAsync();
        await using var holding = await connection.BeginTransactionAsync();
        await ExecuteAsync(
            rig,
            connection,
            "select 1 from [states] s join [tasks] t using (task_no) where t.id = 'a' for update of s");

        (await rig.Beside.ExpelDeadExecutorsAsync(10, default).AsTask().WaitAsync(_bound))
            .Select(move => move.TaskId).Should().Equal("b");

        await holding.RollbackAsync();
        (await rig.Beside.ExpelDeadExecutorsAsync(10, default)).Select(move => move.TaskId).Should().Equal("a");
    }

    [Fact]
    public async Task An_executor_that_pings_during_its_expulsion_stays_registered()
    {
        await using var rig = await CutRig.StartAsync();
        await rig.Beside.HeartbeatAsync(CutRig.Executor, [], default);
        rig.Advance(TimeSpan.FromHours(1));
        await using var connection = await rig.DataSource.OpenConnectionAsync();
        await using var ping = await connection.BeginTransactionAsync();
        await ExecuteAsync(rig, connection, $"update [executors] set last_ping = {Relational.Ticks.Of(rig.Now())}");
        var expelling = rig.Beside.ExpelDeadExecutorsAsync(10, default).AsTask();
        await WaitsOrEndsAsync(rig, expelling);

        await ping.CommitAsync();

        await expelling.WaitAsync(_bound);
        (await rig.Beside.ListExecutorsAsync(default)).Should().ContainSingle();
    }

    [Fact]
    public async Task An_executor_that_pings_between_two_statements_of_its_expulsion_stays_registered()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.ClaimedAsync(rig);
        rig.Advance(TimeSpan.FromHours(1));
        rig.BeforeEvent = happened => happened is TaskEvent.Interrupted
            ? rig.Beside.HeartbeatAsync(CutRig.Executor, [], default).AsTask()
            : Task.CompletedTask;

        (await rig.Store.ExpelDeadExecutorsAsync(10, default).AsTask().WaitAsync(_bound)).Should().HaveCount(2);

        (await rig.Beside.ListExecutorsAsync(default)).Should().ContainSingle();
    }

    /// <summary>Waits until a step in this rig's schema waits for a foreign lock, or has ended.</summary>
    private static async Task WaitsOrEndsAsync(CutRig rig, Task step)
    {
        using var enough = new CancellationTokenSource(_bound, TimeProvider.System);
        while (!step.IsCompleted && await rig.AskAsync<long>(
            $"select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
                + $"and query like '%\"{rig.Schema}\"%'") == 0)
        {
            enough.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task ExecuteAsync(CutRig rig, NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(rig.Named(sql), connection);
        await command.ExecuteNonQueryAsync();
    }
}
