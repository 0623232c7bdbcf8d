using System.Reflection;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// The effect of each SQLite result code on the step that meets it, on the steps beside it and on its connection.
/// </summary>
public sealed class SqliteFaultTests : IDisposable
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    private static readonly Dictionary<string, FaultKind> _expected = new()
    {
        ["ABORT"] = FaultKind.Connection,
        ["AUTH"] = FaultKind.Permanent,
        ["BUSY"] = FaultKind.Lock,
        ["CANTOPEN"] = FaultKind.Connection,
        ["CONSTRAINT"] = FaultKind.Data,
        ["CORRUPT"] = FaultKind.File,
        ["EMPTY"] = FaultKind.Permanent,
        ["ERROR"] = FaultKind.Permanent,
        ["FORMAT"] = FaultKind.Permanent,
        ["FULL"] = FaultKind.File,
        ["INTERNAL"] = FaultKind.Connection,
        ["INTERRUPT"] = FaultKind.Connection,
        ["IOERR"] = FaultKind.File,
        ["LOCKED"] = FaultKind.Lock,
        ["MISMATCH"] = FaultKind.Data,
        ["MISUSE"] = FaultKind.Connection,
        ["NOLFS"] = FaultKind.Permanent,
        ["NOMEM"] = FaultKind.File,
        ["NOTADB"] = FaultKind.File,
        ["NOTFOUND"] = FaultKind.Permanent,
        ["NOTICE"] = FaultKind.Permanent,
        ["PERM"] = FaultKind.Connection,
        ["PROTOCOL"] = FaultKind.Lock,
        ["RANGE"] = FaultKind.Permanent,
        ["READONLY"] = FaultKind.Connection,
        ["SCHEMA"] = FaultKind.Connection,
        ["TOOBIG"] = FaultKind.Data,
        ["WARNING"] = FaultKind.Permanent,
    };

    private readonly FaultyFile _file = new();

    /// <summary>Result codes by name, primary and extended, as the bindings know them.</summary>
    public static TheoryData<string, int> Codes
    {
        get
        {
            var codes = new TheoryData<string, int>();
            foreach (var constant in typeof(raw).GetFields(BindingFlags.Public | BindingFlags.Static).Where(
                constant => constant.IsLiteral && constant.FieldType == typeof(int)))
            {
                var (name, code) = (constant.Name["SQLITE_".Length..], (int)constant.GetRawConstantValue()!);
                if (PrimaryOf(name) is { } primary
                    && (code & 0xff) == (int)typeof(raw).GetField($"SQLITE_{primary}")!.GetRawConstantValue()!)
                {
                    codes.Add(name, code);
                }
            }

            return codes;
        }
    }

    public void Dispose() => _file.Dispose();

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_result_code_has_a_kind(string name, int code)
    {
        Faults.KindOf(code).Should().Be(_expected[PrimaryOf(name)!]);
        Faults.Decided.Should().Contain(code & 0xff);
    }

    [Fact]
    public void No_result_code_of_an_error_is_missing()
    {
        // 0 is success; 100 and 101 report a row and the end of the rows.
        Faults.Decided.Should().BeEquivalentTo(Enumerable.Range(1, 28));
        Codes.Count.Should().BeGreaterThan(70, "the bindings know the extended codes too");
    }

    [Fact]
    public void The_table_in_the_documentation_is_the_one_in_the_code()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md"));
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var row = text.Split('\n').Single(line => line.StartsWith($"| {kind} |", StringComparison.Ordinal));
            var names = row.Split('`').Where((_, place) => place % 2 == 1).Where(_expected.ContainsKey);
            names.Should().BeEquivalentTo(_expected.Where(code => code.Value == kind).Select(code => code.Key));
        }
    }

    [Theory]
    [InlineData(raw.SQLITE_FULL)]
    [InlineData(raw.SQLITE_IOERR)]
    [InlineData(raw.SQLITE_CORRUPT)]
    [InlineData(raw.SQLITE_NOTADB)]
    [InlineData(raw.SQLITE_NOMEM)]
    public async Task A_fault_of_the_file_fails_every_step_of_its_transaction(int code)
    {
        await using var store = _file.NewStore();
        _file.Code = code;
        var (before, bad, after) = await CreateTogetherAsync(store);

        foreach (var creation in (Task[])[before, bad, after])
        {
            (await FluentActions.Awaiting(() => creation).Should()
                .ThrowAsync<SqliteException>()).Which.SqliteErrorCode.Should().Be(code);
        }

        (await IdsAsync(store)).Should().BeEquivalentTo([FaultyFile.Slow], "nothing of the transaction can be trusted");
        (await CreateAsync(store, "before"))[0].Result.Should().Be(CreateResult.Created);
        _file.Opened.Should().Be(3, "the writer has another connection, and there is a reader");
    }

    [Theory]
    [InlineData(raw.SQLITE_CONSTRAINT)]
    [InlineData(raw.SQLITE_TOOBIG)]
    [InlineData(raw.SQLITE_MISMATCH)]
    [InlineData(raw.SQLITE_ERROR)]
    [InlineData(raw.SQLITE_AUTH)]
    public async Task A_fault_of_the_data_or_the_statement_fails_its_own_step_alone(int code)
    {
        await using var store = _file.NewStore();
        _file.Code = code;
        var (before, bad, after) = await CreateTogetherAsync(store);

        (await FluentActions.Awaiting(() => bad).Should().ThrowAsync<SqliteException>()).Which.SqliteErrorCode
            .Should().Be(code);
        await Task.WhenAll(before, after);
        (await IdsAsync(store)).Should().BeEquivalentTo(FaultyFile.Slow, "before", "after");
        _file.Opened.Should().Be(2, "the writer keeps its connection, and there is a reader");
    }

    [Theory]
    [InlineData(raw.SQLITE_BUSY)]
    [InlineData(raw.SQLITE_LOCKED)]
    [InlineData(raw.SQLITE_PROTOCOL)]
    public async Task A_step_that_meets_a_lock_is_retried_until_it_is_gone(int code)
    {
        await using var store = _file.NewStore();
        _file.Code = code;
        var writing = CreateAsync(store, FaultyFile.Bad);
        var reading = store.GetAsync(FaultyFile.Bad, default).AsTask();
        await store.StartAsync(default);
        writing.IsCompleted.Should().BeFalse();
        reading.IsCompleted.Should().BeFalse();

        _file.Code = 0;

        (await writing.WaitAsync(TimeSpan.FromSeconds(30)))[0].Result.Should().Be(CreateResult.Created);
        await reading.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(raw.SQLITE_READONLY)]
    [InlineData(raw.SQLITE_CANTOPEN)]
    [InlineData(raw.SQLITE_PERM)]
    [InlineData(raw.SQLITE_SCHEMA)]
    [InlineData(raw.SQLITE_INTERRUPT)]
    [InlineData(raw.SQLITE_ABORT)]
    [InlineData(raw.SQLITE_MISUSE)]
    [InlineData(raw.SQLITE_INTERNAL)]
    public async Task An_unfit_connection_is_replaced_and_its_step_is_retried(int code)
    {
        await using var store = _file.NewStore();
        await CreateAsync(store, "t");
        await store.GetAsync("t", default);
        _file.Code = code;
        _file.SpoilOpenConnections();

        (await CreateAsync(store, "u"))[0].Result.Should().Be(CreateResult.Created);
        (await store.GetAsync("u", default)).Should().NotBeNull("readers replace theirs too");
    }

    [Fact]
    public async Task A_connection_that_stays_unfit_fails_the_step()
    {
        await using var store = _file.NewStore();
        _file.Code = raw.SQLITE_READONLY;

        (await FluentActions.Awaiting(() => CreateAsync(store, FaultyFile.Bad)).Should()
            .ThrowAsync<SqliteException>()).Which.SqliteErrorCode.Should().Be(8);
        (await FluentActions.Awaiting(() => store.GetAsync(FaultyFile.Bad, default).AsTask()).Should()
            .ThrowAsync<SqliteException>()).Which.SqliteErrorCode.Should().Be(8);

        (await CreateAsync(store, "t"))[0].Result.Should().Be(CreateResult.Created);
    }

    [Fact]
    public async Task A_full_disk_is_written_again_once_it_has_room()
    {
        var options = _file.Options;
        SqliteConnection? writing = null;
        options.Opened += connection =>
        {
            writing ??= connection;
            Execute(
                connection,
                ReferenceEquals(writing, connection)
                    ? "pragma max_page_count = 60"
                    : "pragma max_page_count = 1000000");
        };
        await using var store = new SqliteTaskStore(
            options,
            TimeProvider.System,
            new LifecycleRules(),
            IdSource.Random,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<SqliteTaskStore>.Instance);
        await CreateAsync(store, "t");
        var large = FaultyFile.Definition("large") with { Description = new string('x', 1_000_000) };

        (await FluentActions.Awaiting(() => store.CreateAsync([large], OnConflict.Fail, default).AsTask()).Should()
            .ThrowAsync<SqliteException>())
            .Which.SqliteErrorCode.Should().Be(raw.SQLITE_FULL);

        (await store.CreateAsync([large], OnConflict.Fail, default))[0].Result.Should().Be(CreateResult.Created);
        (await IdsAsync(store)).Should().BeEquivalentTo("t", "large");
    }

    [Fact]
    public async Task A_result_that_the_file_cannot_hold_fails_its_own_stage_and_no_other_report()
    {
        await using var store = _file.NewStore();
        using var queue = new RelationalTaskQueue(store, TimeProvider.System);
        await store.CreateAsync(
            [FaultyFile.Definition("a"), FaultyFile.Definition("b"), FaultyFile.Definition("c")],
            OnConflict.Fail,
            default);
        var claimed = await queue.ClaimAsync(
            new ClaimRequest { Executor = _executor, MaxTasks = 3, MaxBytes = long.MaxValue }, default);
        _file.Code = raw.SQLITE_TOOBIG;

        var answers = await store.RecordAsync(
            [.. claimed.Select(task => Report(task, task.Id == "b" ? FaultyFile.Bad : "good"))], default);

        answers.Should().AllBeEquivalentTo(ReportAnswer.Recorded);
        (await store.GetAsync("a", default))!.Result.Should().ContainSingle();
        (await store.GetAsync("c", default))!.Result.Should().ContainSingle();
        (await store.GetStagesAsync("b", default)).Should().ContainSingle().Which.Error!.Message
            .Should().StartWith("The store cannot hold the result");
    }

    private static StageReport Report(ExecutorTask task, string result) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        JobId = task.JobId,
        Claim = task.Claim,
        Stage = 0,
        Attempt = 1,
        Outcome = StageOutcome.Completed(JsonSerializer.SerializeToElement(result)),
    };

    /// <summary>
    /// Three creations in one transaction: they wait while another one blocks the writer. The middle one is bad.
    /// </summary>
    private async Task<(Task Before, Task Bad, Task After)> CreateTogetherAsync(SqliteTaskStore store)
    {
        var slow = CreateAsync(store, FaultyFile.Slow);
        await _file.IsKept;
        var creations = (CreateAsync(store, "before"), CreateAsync(store, FaultyFile.Bad), CreateAsync(store, "after"));
        _file.Release();
        await slow;
        return creations;
    }

    private static Task<IReadOnlyList<CreateAnswer>> CreateAsync(SqliteTaskStore store, string id) =>
        store.CreateAsync([FaultyFile.Definition(id)], OnConflict.Fail, default).AsTask();

    private static async Task<IEnumerable<string>> IdsAsync(SqliteTaskStore store) =>
        (await store.ListAsync(new TaskQuery(), null, 10, default)).Items.Select(task => task.Id);

    private static string? PrimaryOf(string name) =>
        _expected.Keys.FirstOrDefault(
            primary => name == primary || name.StartsWith($"{primary}_", StringComparison.Ordinal));

    private static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteScalar();
    }
}
