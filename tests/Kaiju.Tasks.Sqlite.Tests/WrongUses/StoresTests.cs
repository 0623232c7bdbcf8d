using System.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite.Tests.WrongUses;

/// <summary>Wrong uses of the store in a SQLite file, each with its whole message.</summary>
[Collection(Alone.Name)]
public sealed class StoresTests : IDisposable
{
    private const string Secret = "geh3im";

    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(200);

    private readonly TemporaryFile _file = new();

    /// <summary>Options with which no file can be opened, and the error of the host's start.</summary>
    public static TheoryData<string, string, string> Strings => new()
    {
        {
            "wrong key",
            "Datasorce=tasks.db",
            "SqliteTasksOptions.ConnectionString has the key \"Datasorce\", which Microsoft.Data.Sqlite does not know."
        },
        {
            "password with a semicolon",
            $"Data Source=tasks.db;Password=x;{Secret}=y",
            "SqliteTasksOptions.ConnectionString has a key of 6 characters after the password that "
            + "Microsoft.Data.Sqlite does not know. A password that contains ; or = must be quoted."
        },
        {
            "wrong value",
            $"Data Source=tasks.db;Password={Secret};Mode=Write",
            "SqliteTasksOptions.ConnectionString has the value \"Write\" for the key \"Mode\": Requested value "
                + "'Write' was not found."
        },
        {
            "no pairs",
            "tasks.db",
            "SqliteTasksOptions.ConnectionString is invalid; it must consist of key=value pairs separated by "
            + "semicolons. Format of the initialization string does not conform to specification starting at index 0."
        },
        {
            "empty",
            "",
            "The connection string \"\" names no file that can be written; it must, such as \"Data Source=tasks.db\". "
            + "To keep tasks in memory, do not call UseSqlite. (Parameter 'options')"
        },
        {
            "in memory, with a password",
            $"Data Source=:memory:;Password={Secret}",
            "The connection string \"Data Source=:memory:\" names no file that can be written; it must, such as "
            + "\"Data Source=tasks.db\". To keep tasks in memory, do not call UseSqlite. (Parameter 'options')"
        },
        {
            "timeout without a bound",
            "Data Source=tasks.db;Command Timeout=0",
            "BusyTimeout, from the connection string, is 00:00:00; it must be from 00:00:00.1000000 to 00:05:00."
        },
    };

    public void Dispose() => _file.Dispose();

    [Theory]
    [MemberData(nameof(Strings))]
    public async Task A_connection_string_that_cannot_be_used_fails_the_start(
        string use, string connectionString, string message)
    {
        var refusal = await RefusalOfAsync(connectionString);

        refusal.Should().BeOfType<ArgumentException>(use).Which.Message.Should().Be(message);
        refusal.ToString().Should().NotContain(Secret);
    }

    [Fact]
    public async Task A_missing_folder_is_named()
    {
        var path = Path.Combine(_file.Path, "tasks.db");

        await IsRefusedAsync(
            path,
            14,
            $"The SQLite file \"{path}\" cannot be opened. Its folder does not exist. SQLite Error 14: 'unable to "
                + $"open database file'.");
    }

    [Fact]
    public async Task A_folder_in_place_of_the_file_is_named()
    {
        Directory.CreateDirectory(_file.Path);

        await IsRefusedAsync(
            _file.Path,
            14,
            $"The SQLite file \"{_file.Path}\" cannot be opened. It is a folder. SQLite Error 14: 'unable to open "
                + $"database file'.");
    }

    [Fact]
    public async Task A_file_that_is_not_a_database_is_named()
    {
        await File.WriteAllTextAsync(_file.Path, new string('x', 10_000));

        await IsRefusedAsync(
            _file.Path,
            26,
            $"The SQLite file \"{_file.Path}\" cannot be opened. SQLite Error 26: 'file is not a database'.");
    }

    [Theory]
    [InlineData("begin exclusive", "at the start")]
    [InlineData("begin exclusive", "creating")]
    [InlineData("begin immediate", "creating")]
    public async Task A_locked_file_is_named_with_the_time_waited(string begin, string when)
    {
        using var other = _file.Open();
        using var host = NewHost(_file.ConnectionString, options => options.BusyTimeout = _patience);
        if (when == "at the start")
        {
            // A file that is not in WAL mode yet; an exclusive transaction prevents reading it.
            Execute(other, "create table orders (id integer)");
            Execute(other, begin);
        }
        else
        {
            await host.StartAsync();
            Execute(other, begin);
        }

        var time = Stopwatch.StartNew();
        var call = when == "at the start"
            ? FluentActions.Awaiting(() => host.StartAsync())
            : FluentActions.Awaiting(
                () => (Task)host.Services.GetRequiredService<ITaskClient>().CreateAsync(Definition("t")));
        var fault = (await call.Should().ThrowAsync<SqliteException>()).Which;

        fault.SqliteErrorCode.Should().Be(5);
        fault.Message.Should().Be(
            $"The SQLite file \"{_file.Path}\" was locked by another connection for 00:00:00.2000000 (BusyTimeout); "
            + "the step did not run. SQLite Error 5: 'database is locked'.");
        time.Elapsed.Should().BeLessThan(
            _patience + TimeSpan.FromMilliseconds(400), "the option bounds the whole call");
        Execute(other, "rollback");
    }

    [Theory]
    [InlineData("Default Timeout=3", 3)]
    [InlineData("default timeout=3", 3)]
    [InlineData("Command Timeout=3", 3)]
    [InlineData("Pooling=True", 10)]
    [InlineData("", 10)]
    public void The_busy_timeout_defaults_to_that_of_the_connection_string(string setting, int seconds)
    {
        var options = new SqliteTasksOptions { ConnectionString = $"{_file.ConnectionString};{setting}" };
        options.BusyTimeout.Should().Be(TimeSpan.FromSeconds(seconds));

        options.BusyTimeout = TimeSpan.FromSeconds(7);
        options.BusyTimeout.Should().Be(TimeSpan.FromSeconds(7));
    }

    [Theory]
    [InlineData("Filename={0};Foreign Keys=True", 1L)]
    [InlineData("DataSource={0};ForeignKeys=False", 0L, false)]
    [InlineData("DataSource={0};Foreign Keys=False", 0L)]
    public void A_setting_of_the_connection_string_is_kept(string text, long foreignKeys, bool isKnown = true)
    {
        var options = new SqliteTasksOptions
        {
            ConnectionString = string.Format(System.Globalization.CultureInfo.InvariantCulture, text, _file.Path),
        };
        if (!isKnown)
        {
            options.Invoking(SqliteFile.ThrowIfInvalid).Should().Throw<ArgumentException>()
                .WithMessage(
                    "SqliteTasksOptions.ConnectionString has the key \"ForeignKeys\", which Microsoft.Data.Sqlite "
                        + "does not know.");
            return;
        }

        using var connection = SqliteFile.Open(options);
        using var ask = connection.CreateCommand();
        ask.CommandText = "pragma foreign_keys";
        ask.ExecuteScalar().Should().Be(foreignKeys);
        SqliteFile.PathOf(connection).Should().Be(_file.Path);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(19)]
    public async Task A_fault_of_a_step_names_the_file(int code)
    {
        using var file = new FaultyFile { Code = code };
        await using var store = file.NewStore();
        var path = new SqliteConnectionStringBuilder(file.Options.ConnectionString).DataSource;

        var writing = (await FluentActions.Awaiting(
            () => store.CreateAsync([FaultyFile.Definition(FaultyFile.Bad)], OnConflict.Fail, default).AsTask())
            .Should().ThrowAsync<SqliteException>()).Which;
        var reading = (await FluentActions.Awaiting(() => store.GetAsync(FaultyFile.Bad, default).AsTask()).Should()
            .ThrowAsync<SqliteException>()).Which;

        foreach (var fault in new[] { writing, reading })
        {
            fault.Message.Should().Contain($"The file is \"{path}\".").And.Contain("a fault");
            fault.SqliteErrorCode.Should().Be(code);
            fault.StackTrace.Should().Contain(nameof(SqliteStep), "the driver's own stack is kept");
        }
    }

    [Fact]
    public async Task A_transaction_on_another_file_is_refused_with_both_paths()
    {
        using var other = new TemporaryFile();
        using var host = NewHost(_file.ConnectionString);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        using var connection = other.Open();
        await using var transaction = connection.BeginTransaction();

        var refusal = (await FluentActions.Awaiting(
            () => client.CreateAsync(Definition("t"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<ArgumentException>()).Which;

        refusal.Message.Should().Be(
            $"The transaction is on the SQLite file \"{other.Path}\", which has no table kaiju_tasks; the tasks are "
                + $"in \"{_file.Path}\". "
            + "Begin it on a connection to that file. (Parameter 'transaction')");
        refusal.InnerException.Should().BeOfType<SqliteException>();
        await transaction.CommitAsync();
    }

    [Fact]
    public async Task Every_member_of_a_disposed_store_throws_ObjectDisposedException()
    {
        var store = new FaultyFile().NewStore();
        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        await store.DisposeAsync();
        var members = new Dictionary<string, Func<Task>>
        {
            ["CreateAsync"] = () => store.CreateAsync([FaultyFile.Definition("u")], OnConflict.Fail, default).AsTask(),
            ["GetAsync"] = () => store.GetAsync("t", default).AsTask(),
            ["CancelAsync"] = () => store.CancelAsync("t", default).AsTask(),
            ["ListAsync"] = () => store.ListAsync(new TaskQuery(), null, 10, default).AsTask(),
            ["WatchAsync"] = () => store.WatchAsync(default).AsTask(),
            ["QueueDueAsync"] = () => store.QueueDueAsync(10, default).AsTask(),
            ["HeartbeatAsync"] = () =>
                store.HeartbeatAsync(
                    new ExecutorInfo { Id = "e", AppName = "app", Apps = ["app"], Capacity = 1 }, [], default)
                    .AsTask(),
        };
        foreach (var (name, call) in members)
        {
            (await FluentActions.Awaiting(call).Should()
                .ThrowAsync<ObjectDisposedException>(name)).Which.Message.Should().Be(
                "The task store was disposed of with its host or service provider; the step did not run.");
        }
    }

    private static async Task IsRefusedAsync(string path, int code, string message)
    {
        var refusal = await RefusalOfAsync($"Data Source={path}");
        refusal.Should().BeOfType<SqliteException>().Which.SqliteErrorCode.Should().Be(code);
        refusal.Message.Should().Be(message);
    }

    private static async Task<Exception> RefusalOfAsync(string connectionString)
    {
        using var host = NewHost(connectionString);
        return (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<Exception>()).Which;
    }

    private static IHost NewHost(string connectionString, Action<SqliteTasksOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client)
            .UseSqlite(connectionString, configure).AddCommand("do", () => 1);
        return builder.Build();
    }

    private static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };

    private static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}
