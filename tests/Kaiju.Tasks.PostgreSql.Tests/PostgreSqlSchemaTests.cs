using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlSchemaTests : IAsyncLifetime, IDisposable
{
    private NpgsqlDataSource? _dataSource;

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("schema")));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

    [Fact]
    public async Task Migrations_apply_once_however_many_begin_them_at_once()
    {
        var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostgreSqlSchema.MigrateAsync(DataSource)));

        applied.Sum().Should().Be(PostgreSqlSchema.Version);
        (await ScalarAsync("select count(*) from kaiju_tasks.migrations")).Should().Be((long)PostgreSqlSchema.Version);
    }

    [Fact]
    public async Task The_script_does_the_same_as_a_migration()
    {
        await ScalarAsync(PostgreSqlSchema.GetScript(new PostgreSqlTasksOptions { Schema = "by_script" }));
        await PostgreSqlSchema.MigrateAsync(DataSource, new PostgreSqlTasksOptions { Schema = "by_code" });

        (await PostgreSqlSchema.MigrateAsync(
            DataSource, new PostgreSqlTasksOptions { Schema = "by_script" })).Should().Be(0);
        (await DescribeAsync("by_script")).Should().Be(await DescribeAsync("by_code")).And.NotBeNull();
    }

    [Fact]
    public async Task A_newer_schema_than_the_package_knows_is_refused()
    {
        await PostgreSqlSchema.MigrateAsync(DataSource);
        await ScalarAsync("insert into kaiju_tasks.migrations (version) values (1000)");

        await FluentActions.Awaiting(() => PostgreSqlSchema.MigrateAsync(DataSource)).Should()
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

    [Fact]
    public async Task A_database_that_cannot_hold_every_text_is_refused()
    {
        var server = await Servers.PostgresAsync();
        await server.ExecuteAsync("postgres", "drop database if exists kaiju_latin");
        await server.ExecuteAsync(
            "postgres", "create database kaiju_latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0");
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString("kaiju_latin", "Pooling=false"));

        await FluentActions.Awaiting(() => PostgreSqlSchema.MigrateAsync(dataSource)).Should()
            .ThrowAsync<TaskSchemaException>().WithMessage("*encoding is LATIN1; it must be UTF8*");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Kaiju")]
    [InlineData("1kaiju")]
    [InlineData("kaiju.tasks")]
    [InlineData("tasks\n")]
    [InlineData("a\"; drop table x")]
    [InlineData("a234567890123456789012345678901x")]
    public async Task A_schema_that_could_be_anything_but_a_name_is_refused(string schema) =>
        await FluentActions.Awaiting(
            () => PostgreSqlSchema.MigrateAsync(DataSource, new PostgreSqlTasksOptions { Schema = schema }))
            .Should().ThrowAsync<ArgumentException>().WithMessage($"*\"{schema}\"*must match*");

    [Fact]
    public async Task The_documented_roles_can_do_their_work_and_nothing_else()
    {
        // The statements of docs/operations.md, as they stand there.
        var grants = RolesOf(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "operations.md")));
        await ScalarAsync("drop role if exists tasks_migrate, tasks_run, tasks_enqueue, tasks_view");
        await ScalarAsync(grants.Split("-- after the migration")[0]);
        await using (var migrate = As("tasks_migrate"))
        {
            await PostgreSqlSchema.MigrateAsync(migrate);
        }

        await ScalarAsync(grants.Split("-- after the migration")[1]);
        try
        {
            await using var run = As("tasks_run");
            await using var enqueue = As("tasks_enqueue");
            await using var view = As("tasks_view");
            using (var host = Host(dataSource: enqueue, roles: TaskRoles.Client))
            {
                await host.StartAsync();
                await host.Services.GetRequiredService<ITaskClient>().CreateAsync(
                    new TaskDefinition { Id = "t", Commands = [new("do"), new("do")], Notify = true });
                await host.Services.GetRequiredService<ITaskStore>().FindUnattendedAsync(
                    TimeSpan.FromMinutes(1), default);
                await host.StopAsync();
            }

            using (var host = Host(dataSource: run))
            {
                await host.StartAsync();
                (await host.Services.GetRequiredService<ITaskClient>().WaitAsync("t")).State
                    .Should().Be(TaskState.Finished);
                await host.Services.GetRequiredService<ITaskClient>().DeleteEndedAsync(TimeSpan.Zero);
                await host.StopAsync();
            }

            await ScalarAsync("insert into kaiju_tasks.migrations (version) values (1000)");
            using (var host = Host(dataSource: run))
            {
                await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<TaskSchemaException>(
                    "a newer schema is named as such, not as a right that is missing");
            }

            await RefusedAsync(run, "create table kaiju_tasks.mine (id int)");
            await RefusedAsync(run, "drop table kaiju_tasks.tasks");
            await RefusedAsync(enqueue, "delete from kaiju_tasks.tasks");
            await RefusedAsync(enqueue, "update kaiju_tasks.states set state = 5");
            await RefusedAsync(view, "delete from kaiju_tasks.tasks");
            await using var overview = view.CreateCommand("select count(*) from kaiju_tasks.overview");
            (await overview.ExecuteScalarAsync()).Should().Be(0L);
        }
        finally
        {
            await ScalarAsync(
                "drop owned by tasks_migrate, tasks_run, tasks_enqueue, tasks_view; drop role tasks_migrate, "
                    + "tasks_run, tasks_enqueue, tasks_view");
        }
    }

    private static async Task RefusedAsync(NpgsqlDataSource role, string sql)
    {
        await using var command = role.CreateCommand(sql);
        (await FluentActions.Awaiting(() => command.ExecuteNonQueryAsync()).Should()
            .ThrowAsync<PostgresException>()).Which.SqlState.Should().Be(PostgresErrorCodes.InsufficientPrivilege);
    }

    private static string RolesOf(string page)
    {
        var from = page.IndexOf("```sql", page.IndexOf("## Roles", StringComparison.Ordinal), StringComparison.Ordinal)
            + "```sql".Length;
        return page[from..page.IndexOf("```", from, StringComparison.Ordinal)].Replace(
            "on database app", "on database current_database", StringComparison.Ordinal);
    }

    private NpgsqlDataSource As(string role) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(DataSource.ConnectionString)
            {
                Username = role,
                Pooling = false,
            }.ToString());

    private IHost Host(
        Action<PostgreSqlTasksOptions>? configure = null,
        NpgsqlDataSource? dataSource = null,
        TaskRoles roles = TaskRoles.All)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Roles = roles)
            .UsePostgreSql(dataSource ?? DataSource, configure).AddCommand("do", () => 1);
        return builder.Build();
    }

    private async Task<object?> DescribeAsync(string schema) => await ScalarAsync(
        $"""
        select string_agg(d, E'\n' order by d) from (
            select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable as d
                from information_schema.columns where table_schema = '{schema}'
            union all select replace(indexdef, '{schema}', '') from pg_indexes where schemaname = '{schema}') all_of_it
        """);

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(
            sql.Replace(
                "current_database",
                new NpgsqlConnectionStringBuilder(DataSource.ConnectionString).Database,
                StringComparison.Ordinal));
        return await command.ExecuteScalarAsync();
    }
}
