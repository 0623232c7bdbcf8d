using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// This package runs on tables of a later version that names it, does all of its work there, and leaves alone what it
/// does not know. See docs/decisions/0018.
/// </summary>
public abstract partial class NewerSchemaTests
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    private readonly Warnings _log = new();

    private protected FakeTimeProvider Clock { get; } = new(UpgradedStore.Start);

    /// <summary>The version that the package needs.</summary>
    protected abstract int Version { get; }

    [Theory]
    [InlineData("0.1.0")]
    [InlineData("0.0.10")]
    public async Task A_newer_schema_that_names_this_package_or_an_older_one_is_used_as_it_is(string oldest)
    {
        await MigrateAsync();
        await ExecuteAsync(NewerTables.Migration(oldest));
        var schema = await RowsAsync("{schema}");

        (await MigrateAsync()).Should().Be(0);
        await using (await StartAsync(migrates: false))
        {
        }

        await using (await StartAsync(migrates: true))
        {
        }

        (await RowsAsync("{schema}")).Should().Equal(schema);
    }

    [Theory]
    [InlineData("99.0.0", "The oldest package that may run on these tables is 99.0.0. Use that one or a newer one.")]
    [InlineData(null, "The tables do not name the oldest package that may run on them. Use the package that *")]
    [InlineData("next", "The tables do not name the oldest package that may run on them. Use the package that *")]
    public async Task A_newer_schema_that_needs_another_package_is_refused(string? oldest, string advice)
    {
        await MigrateAsync();
        await ExecuteAsync(NewerTables.Migration(oldest));
        var message = $"The tables are of version {Version + 1}; this package ({AppliedMigration.Package}) supports up "
            + $"to {Version}. {advice}";

        await FluentActions.Awaiting(MigrateAsync).Should().ThrowAsync<TaskSchemaException>().WithMessage(message);
        foreach (var migrates in new[] { true, false })
        {
            await FluentActions.Awaiting(() => StartAsync(migrates)).Should().ThrowAsync<TaskSchemaException>()
                .WithMessage(message);
        }
    }

    [Fact]
    public async Task One_newer_migration_that_needs_a_newer_package_is_enough_to_refuse_this_one()
    {
        await MigrateAsync();
        await ExecuteAsync(NewerTables.Migration("99.0.0"));
        await ExecuteAsync($"insert into {{migrations}} (version, oldest) values ({Version + 2}, '0.1.0')");

        await FluentActions.Awaiting(MigrateAsync).Should().ThrowAsync<TaskSchemaException>()
            .WithMessage($"*of version {Version + 2}*is 99.0.0*");
    }

    [Fact]
    public async Task Every_duty_runs_on_a_newer_schema()
    {
        await MigrateAsync();
        await ExecuteAsync(NewerTables.Migration("0.1.0"));
        await using var started = await StartAsync();
        var store = started.Store;
        await UpgradedStore.FillAsync(store, by => Clock.Advance(by));
        await ExecuteAsync("update {tasks} set newer_text = 'kept', newer_number = 8");
        await ExecuteAsync("update {states} set newer_text = 'kept', newer_number = 8");
        await ExecuteAsync("update {executors} set newer_text = 'kept'");
        await store.HeartbeatAsync(_executor, [], default);
        (await ColumnAsync("select newer_text from {executors}")).Should().Equal("kept");

        await UpgradedStore.CompleteAsync(
            store, new RelationalTaskQueue(store, Clock), by => Clock.Advance(by));

        (await ColumnAsync("select newer_text from {tasks} where id <> 'new'")).Should().AllBe("kept");
        (await ColumnAsync("select newer_number from {tasks} where id <> 'new'")).Should().AllBe("8");
        (await ColumnAsync(
            "select s.newer_text from {states} s join {tasks} t on t.task_no = s.task_no where id <> 'new'"))
            .Should().AllBe("kept");
        (await ColumnAsync("select newer_number from {tasks} where id = 'new'")).Should().Equal("7");
        (await ColumnAsync("select note from {newer}")).Should().Equal("kept");
        Clock.Advance(TimeSpan.FromDays(1));
        (await store.DeleteEndedAsync(TaskState.Finished, TimeSpan.FromHours(1), 100, default)).Should().NotBeEmpty();
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task A_wait_of_an_unknown_kind_is_left_to_the_version_that_knows_it()
    {
        await using var started = await StartOnNewerAsync("a", "b");
        var store = started.Store;
        await store.CreateAsync(
            [Checked.Definition(new() { Id = "c", Commands = [new MessageCommand(), new("do")] })],
            OnConflict.Fail,
            default);
        var waiting = (await store.ClaimAsync(_executor, ["c"], default)).Single();
        await ReportAsync(store, waiting, StageOutcome.WaitForMessage(TimeSpan.FromHours(1)));
        await store.SuspendExecutorAsync(_executor.Id, default);
        await ExecuteAsync(NewerTables.WaitForUnknown("a") + NewerTables.WaitForUnknown("b"));
        await ExecuteAsync(NewerTables.FillColumns("a") + NewerTables.FillColumns("b"));
        var before = await RowsAsync(RowOf("a"));

        // Not ended, and not in the way of others.
        (await store.WakeWaitsAsync(1, default)).Should().BeEmpty();
        (await store.GetTimeToNextDutyAsync(default)).Should().Be(TimeSpan.FromHours(1));
        (await store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default)).HasDuty.Should().BeFalse();
        Clock.Advance(TimeSpan.FromHours(1));
        (await store.WakeWaitsAsync(1, default)).Should().ContainSingle().Which.TaskId.Should().Be("c");
        (await store.SendMessageAsync("a", JsonElement.Parse("1"), default)).Should().BeFalse();
        (await RowsAsync(RowOf("a"))).Should().Equal(before);

        // Read, listed and changed by clients.
        var read = (await store.GetAsync("a", default))!;
        read.Managed.Wait.Should().Be((WaitKind)NewerTables.Kind);
        read.ToJson().Should().Contain("\"wait\":\"77\"");
        (await store.ListAsync(new() { State = TaskState.Waiting }, null, 10, default)).Items
            .Select(task => task.Id).Should().BeEquivalentTo("a", "b");
        var update = Checked.Definition(read.Definition with { Priority = 5 });
        (await store.UpdateAsync(update, read.Revision, default)).Result.Should().Be(UpdateResult.Updated);
        (await ColumnAsync(
            $"select wait || ' ' || report_kind || ' ' || duty || ' ' || due || ' ' || wait_deadline || ' ' || "
                + $"newer_text || ' ' || newer_number || ' ' || priority from ({RowOf("a")}) s"))
            .Should().Equal("77 77 1 1 1 kept 8 5");
        (await store.CancelAsync("a", default)).Should().BeTrue();
        (await store.GetAsync("a", default))!.State.Should().Be(TaskState.Failed);
        (await ColumnAsync($"select report_kind || newer_text from ({RowOf("a")}) s")).Should().Equal("77kept");
        (await store.DeleteAsync("b", default)).Should().BeTrue();
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task A_hold_of_an_unknown_kind_is_left_to_the_version_that_knows_it()
    {
        await using var started = await StartOnNewerAsync("a", "b");
        var store = started.Store;
        using var queue = new RelationalTaskQueue(store, Clock);
        await ExecuteAsync(NewerTables.HoldForUnknown("a", "do") + NewerTables.HoldForUnknown("b", "do"));
        await ExecuteAsync(NewerTables.FillColumns("a"));
        var before = await RowsAsync(RowOf("a"));
        var announced = new ExecutorInfo
        {
            Id = "announced",
            AppName = "default",
            Apps = ["default"],
            Capacity = 10,
            Commands = ["other"],
        };
        await store.HeartbeatAsync(announced, [], default);

        (await store.RepairHoldsAsync(10, default)).Changed.Should().Be(0);
        (await queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 10, MaxBytes = long.MaxValue }, default))
            .Should().BeEmpty();
        (await store.ClaimAsync(_executor, ["a", "b"], default)).Should().BeEmpty();
        (await store.FindUnattendedAsync(TimeSpan.FromMinutes(1), default)).Apps.Should().BeEmpty();
        (await RowsAsync(RowOf("a"))).Should().Equal(before);

        var read = (await store.GetAsync("a", default))!;
        read.ToJson().Should().Contain("\"hold\":\"77\"");
        var update = Checked.Definition(read.Definition with { Priority = 5 });
        (await store.UpdateAsync(update, read.Revision, default)).Result.Should().Be(UpdateResult.Updated);
        (await ColumnAsync($"select hold || newer_text || priority from ({RowOf("a")}) s")).Should().Equal("77kept5");
        (await store.CancelAsync("a", default)).Should().BeTrue();
        (await store.DeleteAsync("b", default)).Should().BeTrue();
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task Members_of_a_definition_that_only_a_newer_version_knows_are_written_back()
    {
        await using var started = await StartOnNewerAsync("a");
        var store = started.Store;
        await ExecuteAsync(NewerTables.AddMembers("a", "do"));
        string[] members = [NewerTables.Member, NewerTables.MemberOfCommand];
        (await DefinitionAsync("a")).Should().ContainAll(members, "the test has added them");

        // A client's update, and every step of a periodic run.
        var read = (await store.GetAsync("a", default))!;
        var update = Checked.Definition(read.Definition with { Cron = "* * * * *", RunAt = null });
        (await store.UpdateAsync(update, read.Revision, default)).Result.Should().Be(UpdateResult.Updated);
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await store.QueueDueAsync(10, default)).Should().ContainSingle();
        var claimed = (await store.ClaimAsync(_executor, ["a"], default)).Single();
        await ReportAsync(store, claimed, StageOutcome.Completed());
        (await store.RestartPeriodicAsync(10, default)).Should().ContainSingle();
        var next = (await store.GetAsync("a", default))!;
        await store.UpdateAsync(Checked.Definition(next.Definition with { Cron = null }), next.Revision, default);

        (await DefinitionAsync("a")).Should().ContainAll(members).And.NotContain("cron");
        next.ToJson().Should().NotContain("newer", "users see the members that this version knows");
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task Tables_without_a_column_for_oldest_packages_get_it_with_the_next_migration()
    {
        await CreateOldVersionsAsync();
        var migrations = Migrations();
        await ExecuteAsync(migrations[0].Text + ";insert into {migrations} (version) values (1)");

        (await MigrateAsync()).Should().Be(Version - 1);

        (await ColumnAsync("select coalesce(oldest, '-') from {migrations} order by version")).Should().Equal(
            ["-", .. migrations.Skip(1).Select(migration => migration.OldestText)]);
        (await MigrateAsync()).Should().Be(0);
    }

    [Fact]
    public async Task A_script_records_the_oldest_packages_too()
    {
        await ExecuteAsync(GetScript(0));

        (await ColumnAsync("select oldest from {migrations} order by version")).Should().Equal(
            Migrations().Select(migration => migration.OldestText));
    }

    [Fact]
    public void The_migrations_of_the_package_keep_the_rules_of_migrations() =>
        Migrations().SelectMany(migration => MigrationRules.FindFaults(migration.Text)).Should().BeEmpty();

    protected abstract Task<int> MigrateAsync();

    protected abstract string GetScript(int fromVersion);

    /// <summary>Creates the table of versions as it was before it named oldest packages.</summary>
    protected abstract Task CreateOldVersionsAsync();

    private protected abstract IReadOnlyList<Migration> Migrations();

    private protected abstract Task<StartedStore> StartAsync(bool migrates, ILogger logger);

    private protected abstract Task<DbConnection> OpenAsync();

    /// <summary>A table's name in a statement; for "schema", a query for the definitions of all tables.</summary>
    private protected abstract string Table(string name);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Names();

    private static string RowOf(string id) =>
        $"select s.* from {{states}} s join {{tasks}} t on t.task_no = s.task_no where t.id = '{id}'";

    private static async Task ReportAsync(ITaskStore store, ExecutorTask task, StageOutcome outcome)
    {
        var report = new StageReport
        {
            TaskId = task.Id,
            StoreKey = task.StoreKey,
            Claim = task.Claim,
            JobId = task.JobId,
            Attempt = task.Attempt,
            Stage = task.Stage,
            Outcome = outcome,
        };
        (await store.RecordAsync([report], default)).Should().Equal(ReportAnswer.Recorded);
    }

    private Task<StartedStore> StartAsync(bool migrates = true) => StartAsync(migrates, _log);

    private async Task<StartedStore> StartOnNewerAsync(params string[] ids)
    {
        await MigrateAsync();
        await ExecuteAsync(NewerTables.Migration("0.1.0"));
        var started = await StartAsync();
        await started.Store.CreateAsync(
            [.. ids.Select(id => Checked.Definition(
                new() { Id = id, RunAt = TaskDefinition.OnDemand, Commands = [new("do")] }))],
            OnConflict.Fail,
            default);
        return started;
    }

    private async Task<string> DefinitionAsync(string id) =>
        (await ColumnAsync($"select definition from {{tasks}} where id = '{id}'")).Single();

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = Named(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<IReadOnlyList<string>> ColumnAsync(string sql) =>
        [.. (await RowsAsync(sql)).Select(row => row[(row.IndexOf('=', StringComparison.Ordinal) + 1)..])];

    /// <summary>Every row as text, with the names and the values of its columns.</summary>
    private async Task<IReadOnlyList<string>> RowsAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = Named(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join(", ", Enumerable.Range(0, reader.FieldCount).Select(column =>
                $"{reader.GetName(column)}={Convert.ToString(reader[column], CultureInfo.InvariantCulture)}")));
        }

        return rows;
    }

    private string Named(string sql) => Names().Replace(sql, name => Table(name.Groups[1].Value));

    /// <summary>A store that has started.</summary>
    private protected sealed record StartedStore(RelationalTaskStore Store) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ((IAsyncDisposable)Store).DisposeAsync();
    }

    /// <summary>What the store logs at Warning and above.</summary>
    private sealed class Warnings : ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                _lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
            }
        }
    }
}
