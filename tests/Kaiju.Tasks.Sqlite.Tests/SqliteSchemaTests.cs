using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteSchemaTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Migrations_apply_once_however_many_begin_them_at_once()
    {
        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => SqliteSchema.MigrateAsync(_file.Options))));

        applied.Sum().Should().Be(SqliteSchema.Version);
        (await SqliteSchema.MigrateAsync(_file.Options)).Should().Be(0);
        Scalar("select group_concat(version) from kaiju_migrations").Should().Be(
            string.Join(',', Enumerable.Range(1, SqliteSchema.Version)));
    }

    [Fact]
    public async Task The_script_does_the_same_as_a_migration()
    {
        Execute(SqliteSchema.GetScript(_file.Options));

        (await SqliteSchema.MigrateAsync(_file.Options)).Should().Be(0);
        using var other = new TemporaryFile();
        await SqliteSchema.MigrateAsync(other.Options);
        Schema(_file).Should().Equal(Schema(other));
    }

    [Fact]
    public async Task A_newer_schema_than_the_package_knows_is_refused()
    {
        await SqliteSchema.MigrateAsync(_file.Options);
        Execute("insert into kaiju_migrations (version) values (1000)");

        await FluentActions.Awaiting(() => SqliteSchema.MigrateAsync(_file.Options)).Should()
            .ThrowAsync<TaskSchemaException>().WithMessage("*of version 1000; this package knows up to*");
        using var host = Host();
        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<TaskSchemaException>(
            "the host does not start on it");
    }

    [Fact]
    public async Task Without_migration_at_start_the_tables_must_be_there()
    {
        using var host = Host(options => options.MigrateAtStart = false);

        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<TaskSchemaException>()
            .WithMessage("*of version 0; this package needs*MigrateAtStart*GetScript*");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Kaiju")]
    [InlineData("1kaiju")]
    [InlineData("kaiju-")]
    [InlineData("kaiju_\n")]
    [InlineData("a; drop table x")]
    [InlineData("a234567890123456789012345678901x")]
    public async Task A_prefix_that_could_be_anything_but_a_name_is_refused(string prefix)
    {
        var options = _file.Options;
        options.TablePrefix = prefix;

        await FluentActions.Awaiting(() => SqliteSchema.MigrateAsync(options)).Should()
            .ThrowAsync<ArgumentException>().WithMessage($"*\"{prefix}\"*must match*");
    }

    [Fact]
    public async Task Two_prefixes_are_two_stores_in_one_file()
    {
        using var one = Host();
        using var other = Host(options => options.TablePrefix = "other_");
        await one.StartAsync();
        await other.StartAsync();

        await one.Services.GetRequiredService<ITaskClient>().CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        (await other.Services.GetRequiredService<ITaskClient>().GetAsync("t")).Should().BeNull();
        await one.StopAsync();
        await other.StopAsync();
    }

    [Fact]
    public async Task Every_commit_reaches_the_disk()
    {
        await SqliteSchema.MigrateAsync(_file.Options);
        using var full = SqliteFile.Open(_file.Options);
        Pragma(full, "synchronous").Should().Be(2);
        Scalar("pragma journal_mode").Should().Be("wal");

        var options = _file.Options;
        options.Durability = SqliteDurability.Normal;
        using var normal = SqliteFile.Open(options);
        Pragma(normal, "synchronous").Should().Be(1);
    }

    private static long Pragma(SqliteConnection connection, string name)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"pragma {name}";
        return (long)command.ExecuteScalar()!;
    }

    private IHost Host(Action<SqliteTasksOptions>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client)
            .UseSqlite(_file.ConnectionString, configure);
        return builder.Build();
    }

    private static List<string> Schema(TemporaryFile file)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select coalesce(sql, '') from sqlite_schema where name not like 'sqlite%' order by name";
        using var rows = command.ExecuteReader();
        var list = new List<string>();
        while (rows.Read())
        {
            list.Add(rows.GetString(0));
        }

        return list;
    }

    private object? Scalar(string sql)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private void Execute(string sql) => Scalar(sql);
}
