using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlSchemaTests : SchemaTests, IAsyncLifetime, IDisposable
{
    private NpgsqlDataSource? _dataSource;

    protected override int Version => PostgreSqlSchema.Version;

    protected override string DefaultName => "kaiju_tasks";

    private NpgsqlDataSource DataSource => _dataSource!;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("schema")));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _dataSource?.Dispose();

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

    [Fact]
    public async Task The_documented_roles_have_exactly_the_rights_they_need()
    {
        // The statements of docs/operations.md, verbatim.
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
            using (var host = NewHost(enqueue, TaskRoles.Client))
            {
                await host.StartAsync();
                await host.Services.GetRequiredService<ITaskClient>().CreateAsync(
                    new TaskDefinition { Id = "t", Commands = [new("do"), new("do")], Notify = true });
                (await host.Services.GetRequiredService<ITaskClient>().ListPausesAsync()).Should().BeEmpty();
                await host.Services.GetRequiredService<ITaskStore>().FindUnattendedAsync(
                    TimeSpan.FromMinutes(1), default);
                await host.StopAsync();
            }

            using (var host = NewHost(run))
            {
                await host.StartAsync();
                (await host.Services.GetRequiredService<ITaskClient>().WaitAsync("t")).State
                    .Should().Be(TaskState.Finished);
                await host.Services.GetRequiredService<ITaskClient>().DeleteEndedAsync(TimeSpan.Zero);
                await host.StopAsync();
            }

            await ScalarAsync("insert into kaiju_tasks.migrations (version) values (1000)");
            using (var host = NewHost(run))
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

    protected override Task<int> MigrateAsync(string name) => PostgreSqlSchema.MigrateAsync(DataSource, Named(name));

    protected override string GetScript(string name) => PostgreSqlSchema.GetScript(Named(name));

    protected override string Table(string name, string table) => $"{name}.{table}";

    protected override async Task<IReadOnlyList<string>> DescribeAsync(string name)
    {
        await using var command = DataSource.CreateCommand(
            $"""
            select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable as d
                from information_schema.columns where table_schema = '{name}'
            union all select replace(indexdef, '{name}', '') from pg_indexes where schemaname = '{name}'
            order by d
            """);
        await using var rows = await command.ExecuteReaderAsync();
        var list = new List<string>();
        while (await rows.ReadAsync())
        {
            list.Add(rows.GetString(0));
        }

        return list;
    }

    protected override async Task<object?> ScalarAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(
            sql.Replace(
                "current_database",
                new NpgsqlConnectionStringBuilder(DataSource.ConnectionString).Database,
                StringComparison.Ordinal));
        return await command.ExecuteScalarAsync();
    }

    protected override void UseStore(KaijuTasksBuilder tasks, string name, bool migrates) => tasks.UsePostgreSql(
        DataSource, options => (options.Schema, options.MigrateAtStart) = (name, migrates));

    private static PostgreSqlTasksOptions Named(string schema) => new() { Schema = schema };

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

    private static IHost NewHost(NpgsqlDataSource dataSource, TaskRoles roles = TaskRoles.All)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.Roles = roles)
            .UsePostgreSql(dataSource).AddCommand("do", () => 1);
        return builder.Build();
    }
}
