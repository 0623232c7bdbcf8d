using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// A file that cannot hold tasks is refused when the host starts, with its path and the reason; every other file works.
/// </summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source= :memory: ")]
    [InlineData("Data Source=x;Mode=Memory")]
    [InlineData("Data Source=x;Mode=ReadOnly")]
    [InlineData("Data Source=")]
    [InlineData("Data Source=file::memory:")]
    [InlineData("Data Source=file::memory:?cache=private")]
    [InlineData("Data Source=file:tasks?mode=memory")]
    [InlineData("Data Source=file:")]
    [InlineData("Data Source=file:/tasks?vfs=memdb")]
    [InlineData("Data Source=/tasks;Vfs=memdb")]
    public async Task A_database_without_a_writable_file_is_refused(string connectionString) =>
        (await RefusalOfAsync(connectionString)).Should().BeAssignableTo<ArgumentException>()
            .Which.Message.Should().Contain($"\"{connectionString}\" names no file that can be written");

    [Theory]
    [Trait("Category", "Unix")]
    [InlineData("?cache=shared")]
    [InlineData("?mode=rwc&cache=shared")]
    [InlineData("?c%61che=shared")]
    public async Task A_shared_cache_in_a_URI_is_refused(string query) =>
        (await RefusalOfAsync($"Data Source=file:{_file.Path}{query}")).Should().BeAssignableTo<ArgumentException>()
            .Which.Message.Should().Contain(_file.Path).And.Contain("remove cache=shared");

    [Theory]
    [Trait("Category", "Unix")]
    [InlineData("?mode=ro")]
    [InlineData("?immutable=1")]
    public async Task A_file_that_is_read_only_for_this_process_is_refused(string query)
    {
        await SqliteSchema.MigrateAsync(_file.Options);

        var refusal = await RefusalOfAsync($"Data Source=file:{_file.Path}{query}");

        refusal.Should().BeOfType<SqliteException>().Which.SqliteErrorCode.Should().Be(8);
        refusal.Message.Should().Contain(_file.Path).And.Contain("read-only");
    }

    [Theory]
    [Trait("Category", "Unix")]
    [InlineData("unix-none")]
    [InlineData("unix-dotfile")]
    public async Task A_file_that_cannot_be_in_WAL_mode_is_refused(string vfs) =>
        (await RefusalOfAsync($"{_file.ConnectionString};Vfs={vfs}")).Should().BeOfType<ArgumentException>()
            .Which.Message.Should().Contain(_file.Path).And.Contain("must become WAL");

    [Theory]
    [InlineData("UTF-16le")]
    [InlineData("UTF-16be")]
    public async Task A_file_whose_text_is_UTF_16_is_refused(string encoding)
    {
        using (var connection = _file.Open())
        {
            Execute(connection, $"pragma encoding = '{encoding}'; create table orders (id integer)");
        }

        (await RefusalOfAsync(_file.ConnectionString)).Should().BeOfType<ArgumentException>()
            .Which.Message.Should().Contain(_file.Path).And.Contain($"encoded as {encoding} and must be UTF-8");
    }

    [Fact]
    public async Task A_missing_folder_is_refused() =>
        await IsRefusedAsync($"{_file.Path}/tasks.db", 14, "Its folder does not exist");

    [Fact]
    public async Task A_folder_in_place_of_the_file_is_refused()
    {
        Directory.CreateDirectory(_file.Path);

        await IsRefusedAsync(_file.Path, 14, "It is a folder");
    }

    [Fact]
    [Trait("Category", "Unix")]
    public async Task A_folder_in_which_no_file_can_be_created_is_refused() =>
        await IsRefusedAsync("/proc/tasks.db", 14, "unable to open");

    [Fact]
    [Trait("Category", "Unix")]
    public async Task A_folder_in_which_no_WAL_can_be_created_is_refused()
    {
        Directory.CreateDirectory($"{_file.Path}-wal");

        await IsRefusedAsync(_file.Path, 10, "disk I/O error");
    }

    [Fact]
    [Trait("Category", "Unix")]
    public async Task A_file_whose_shared_memory_cannot_be_written_is_refused()
    {
        await SqliteSchema.MigrateAsync(_file.Options);
        Directory.CreateDirectory($"{_file.Path}-shm");

        await IsRefusedAsync(_file.Path, 8, "readonly");
    }

    [Fact]
    public async Task A_file_that_is_not_a_database_is_refused()
    {
        await File.WriteAllTextAsync(_file.Path, new string('x', 10_000));

        await IsRefusedAsync(_file.Path, 26, "not a database");
    }

    [Fact]
    public async Task With_a_shared_cache_in_the_connection_string_everything_works()
    {
        var done = 0;
        using var host = NewHost($"{_file.ConnectionString};Cache=Shared", () => Interlocked.Increment(ref done));
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();

        await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => Task.Run(() => client.CreateAsync(Definition($"t{i}")))));
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.WaitAsync($"t{i}")))
            .WaitAsync(TimeSpan.FromSeconds(60));

        done.Should().Be(200);
        await host.StopAsync();
    }

    [Fact]
    public void With_a_shared_cache_in_the_connection_string_connections_do_not_lock_each_other_out_of_tables()
    {
        var options = _file.Options;
        options.ConnectionString += ";Cache=Shared";
        using var writing = SqliteFile.Open(options);
        using var reading = SqliteFile.Open(options);
        Execute(writing, "create table orders (id integer)");
        Execute(writing, "begin immediate; insert into orders values (1)");

        reading.Invoking(connection => Execute(connection, "select * from orders")).Should().NotThrow();
    }

    [Fact]
    public async Task A_URI_that_names_a_file_works()
    {
        using var host = NewHost($"Data Source=file:{_file.Path}?mode=rwc", () => { });
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();

        await client.CreateAsync(Definition("t"));
        (await client.WaitAsync("t").WaitAsync(TimeSpan.FromSeconds(30))).State.Should().Be(TaskState.Finished);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_the_store_is_open_is_not_created_again_without_its_tasks()
    {
        using var file = new FaultyFile();
        await using var store = file.NewStore();
        await store.CreateAsync([FaultyFile.Definition("t")], OnConflict.Fail, default);
        var path = new SqliteConnectionStringBuilder(file.Options.ConnectionString).DataSource;
        foreach (var part in (string[])[path, $"{path}-wal", $"{path}-shm"])
        {
            File.Move(part, $"{part}.away");
        }

        file.Code = 8;
        file.SpoilOpenConnections();
        var e = (await FluentActions.Awaiting(
            () => store.CreateAsync([FaultyFile.Definition("u")], OnConflict.Fail, default).AsTask())
            .Should()
            .ThrowAsync<SqliteException>()).Which;
        e.SqliteErrorCode.Should().Be(14);
        e.Message.Should().Contain(path);
        File.Exists(path).Should().BeFalse();

        foreach (var part in (string[])[path, $"{path}-wal", $"{path}-shm"])
        {
            File.Move($"{part}.away", part);
        }

        await store.CreateAsync([FaultyFile.Definition("u")], OnConflict.Fail, default);
        (await store.GetAsync("t", default)).Should().NotBeNull();
    }

    private static async Task IsRefusedAsync(string path, int code, string reason)
    {
        var refusal = await RefusalOfAsync($"Data Source={path}");
        refusal.Should().BeOfType<SqliteException>().Which.SqliteErrorCode.Should().Be(code);
        refusal.Message.Should().Contain($"\"{path}\"").And.Contain(reason);
    }

    private static async Task<Exception> RefusalOfAsync(string connectionString)
    {
        using var host = NewHost(connectionString, () => { });
        return (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<Exception>()).Which;
    }

    private static IHost NewHost(string connectionString, Action run)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Capacity = 50).UseSqlite(connectionString)
            .AddCommand("do", run);
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
