using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests.WrongUses;

/// <summary>Wrong uses of the store in PostgreSQL, each with its whole message.</summary>
public sealed class StoresTests
{
    private const string Secret = "geh3im";

    /// <summary>Invalid connection strings, and the error of the host's start.</summary>
    public static TheoryData<string, string, string> Strings => new()
    {
        {
            "wrong key",
            "hots=localhost;Database=shop",
            "The connection string of UsePostgreSql has the key \"hots\", which Npgsql does not know."
        },
        {
            "wrong key behind others, as it was written",
            $"Host=localhost;Password={Secret};Database=shop;AplicationName=x",
            "The connection string of UsePostgreSql has the key \"AplicationName\", which Npgsql does not know."
        },
        {
            "password with a semicolon",
            $"Host=localhost;Password=x;{Secret}=y",
            "The connection string of UsePostgreSql has a key of 6 characters after the password that Npgsql does not "
            + "know. A password that contains ; or = must be quoted."
        },
        {
            "wrong value",
            $"Host=localhost;MaxAutoPrepare=many;Password={Secret}",
            "The connection string of UsePostgreSql has the value \"many\" for the key \"MaxAutoPrepare\": "
            + "The input string 'many' was not in a correct format."
        },
        {
            "no pairs",
            Secret,
            "The connection string of UsePostgreSql is invalid; it must consist of key=value pairs separated by "
            + "semicolons. Format of the initialization string does not conform to specification starting at index 0."
        },
        {
            "empty",
            "",
            "The connection string of UsePostgreSql is empty; it must name the server and the database, such as "
            + "\"Host=localhost;Database=shop;Username=shop\"."
        },
        {
            "no host",
            $"Database=shop;Password={Secret}",
            "The connection string of UsePostgreSql has no Host; it must name the server and the database, such as "
            + "\"Host=localhost;Database=shop;Username=shop\"."
        },
    };

    [Theory]
    [MemberData(nameof(Strings))]
    public async Task A_connection_string_that_cannot_be_used_fails_the_start(
        string use, string connectionString, string message)
    {
        var refusal = await RefusalOfAsync(tasks => tasks.UsePostgreSql(connectionString));

        refusal.Should().BeOfType<ArgumentException>(use).Which.Message.Should().Be(message);
        refusal.ToString().Should().NotContain(Secret);
    }

    [Fact]
    public async Task A_server_that_does_not_listen_is_named()
    {
        var refusal = await RefusalOfAsync(
            tasks => tasks.UsePostgreSql($"Host=127.0.0.1;Port=1;Database=shop;Username=shop;Password={Secret}"));

        var fault = refusal.Should().BeOfType<NpgsqlException>().Which;
        fault.Message.Should().Be(
            "Failed to connect to 127.0.0.1:1 (PostgreSQL at 127.0.0.1:1, database \"shop\", schema \"kaiju_tasks\")");
        fault.InnerException.Should()
            .BeOfType<NpgsqlException>().Which.InnerException.Should().BeOfType<System.Net.Sockets.SocketException>();
        fault.IsTransient.Should().Be(((NpgsqlException)fault.InnerException!).IsTransient);
        fault.ToString().Should().NotContain(Secret);
    }

    [Fact]
    public async Task An_unknown_host_is_named()
    {
        var refusal = await RefusalOfAsync(
            tasks => tasks.UsePostgreSql($"Host=nosuch.invalid;Database=shop;Username=shop;Password={Secret}"));

        // The text before it comes from the system.
        refusal.Should().BeOfType<NpgsqlException>().Which.Message.Should()
            .EndWith(" (PostgreSQL at nosuch.invalid:5432, database \"shop\", schema \"kaiju_tasks\")");
        refusal.ToString().Should().NotContain(Secret);
    }

    [Fact]
    public async Task A_wrong_password_and_a_missing_database_name_the_place_and_no_password()
    {
        var folder = Directory.CreateTempSubdirectory("kaiju-tasks-hba-");
        var rules = Path.Combine(folder.FullName, "pg_hba.conf");

        if (!OperatingSystem.IsWindows())
        {
            // The server runs as another user if the tests run as root.
            const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(folder.FullName, File.GetUnixFileMode(folder.FullName) | Others);
        }

        await File.WriteAllTextAsync(
            rules, "host all kaiju 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        await using var server = await PostgresServer.StartAsync($"hba_file={rules}");
        await server.ExecuteAsync("postgres", "create role shop login password 'right'");
        await server.ExecuteAsync("postgres", "create database shop");
        var place = $"(PostgreSQL at 127.0.0.1:{server.Port}, database \"{{0}}\", schema \"kaiju_tasks\")";

        var password = await RefusalOfAsync(
            tasks => tasks.UsePostgreSql(
                $"Host=127.0.0.1;Port={server.Port};Database=shop;Username=shop;Password={Secret}"));
        var database = await RefusalOfAsync(
            tasks => tasks.UsePostgreSql(
                $"Host=127.0.0.1;Port={server.Port};Database=nosuch;Username=kaiju;Password={Secret}"));

        password.Should().BeOfType<PostgresException>().Which.SqlState.Should().Be(PostgresErrorCodes.InvalidPassword);
        password.Message.Should().Be(
            $"28P01: password authentication failed for user \"shop\" "
                + $"{place.Replace("{0}", "shop", StringComparison.Ordinal)}");
        database.Should().BeOfType<PostgresException>().Which.SqlState
            .Should().Be(PostgresErrorCodes.InvalidCatalogName);
        database.Message.Should().Be(
            $"3D000: database \"nosuch\" does not exist {place.Replace("{0}", "nosuch", StringComparison.Ordinal)}");
        (password + database.ToString()).Should().NotContain(Secret);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_error_of_a_role_without_rights_names_the_script_and_MigrateAtStart()
    {
        var server = await Servers.PostgresAsync();
        var database = await server.CreateDatabaseAsync("rights");
        await server.ExecuteAsync(database, "drop role if exists no_rights; create role no_rights login");
        var text = new NpgsqlConnectionStringBuilder(server.ConnectionString(database, "Pooling=false"))
        {
            Username = "no_rights",
        };
        var place = $"PostgreSQL at 127.0.0.1:{server.Port}, database \"{database}\", schema \"kaiju_tasks\"";

        var refusal = await RefusalOfAsync(tasks => tasks.UsePostgreSql(text.ToString()));

        refusal.Should().BeOfType<TaskSchemaException>().Which.Message.Should().Be(
            $"The role \"no_rights\" may not read, create or migrate the tables in {place}: "
            + $"42501: permission denied for database {database}. Let a role with these rights run "
            + "PostgreSqlSchema.GetScript() or call PostgreSqlSchema.MigrateAsync, grant this role the rights that it "
            + "needs, and set MigrateAtStart to false.");
        refusal.InnerException.Should().BeOfType<PostgresException>().Which.SqlState
            .Should().Be(PostgresErrorCodes.InsufficientPrivilege);

        // The tables exist, and the role may not read them; or it may read them but not write.
        await server.ExecuteAsync(database, PostgreSqlSchema.GetScript());
        (await RefusalOfAsync(tasks => tasks.UsePostgreSql(text.ToString(), options => options.MigrateAtStart = false)))
            .Should().BeOfType<TaskSchemaException>().Which.Message.Should().Contain(
                "42501: permission denied for schema kaiju_tasks");
        await server.ExecuteAsync(
            database,
            "grant usage on schema kaiju_tasks to no_rights; grant select on all tables in schema kaiju_tasks to "
                + "no_rights");
        using var host = NewHost(tasks => tasks.UsePostgreSql(text.ToString()), TaskRoles.Client);
        await host.StartAsync();
        var creating = () => host.Services.GetRequiredService<ITaskClient>().CreateAsync(Definition("t"));
        var fault = (await creating.Should().ThrowAsync<PostgresException>()).Which;
        fault.SqlState.Should().Be(PostgresErrorCodes.InsufficientPrivilege);
        fault.Message.Should().Be($"42501: permission denied for table tasks ({place})");
        fault.StackTrace.Should().Contain("Npgsql.Internal", "the driver's own stack is kept");
        var cancelling = () => host.Services.GetRequiredService<ITaskClient>().CancelAsync("t");
        (await cancelling.Should().ThrowAsync<PostgresException>()).Which.Message.Should()
            .Be($"42501: permission denied for table states ({place})");
    }

    [Fact]
    public async Task A_transaction_on_another_database_is_refused_with_both_places()
    {
        var server = await Servers.PostgresAsync();
        var (ours, theirs) = (await server.CreateDatabaseAsync("ours"), await server.CreateDatabaseAsync("theirs"));
        using var host = NewHost(tasks => tasks.UsePostgreSql(server.ConnectionString(ours)), TaskRoles.Client);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await using var connection = new NpgsqlConnection(server.ConnectionString(theirs));
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        var refusal = (await FluentActions.Awaiting(
            () => client.CreateAsync(Definition("t"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<ArgumentException>()).Which;

        refusal.Message.Should().Be(
            $"The transaction is on another database: there are no tables of tasks in PostgreSQL at "
            + $"127.0.0.1:{server.Port}, "
            + $"database \"{theirs}\", schema \"kaiju_tasks\". The tasks are in PostgreSQL at "
            + $"127.0.0.1:{server.Port}, database "
            + $"\"{ours}\", schema \"kaiju_tasks\". Begin it on a connection to that database. (Parameter "
            + $"'transaction')");
        refusal.InnerException.Should().BeOfType<PostgresException>().Which.SqlState
            .Should().Be(PostgresErrorCodes.UndefinedTable);
        await using var next = new NpgsqlCommand("select 1", connection, transaction);
        (await next.ExecuteScalarAsync()).Should().Be(1, "the transaction is still usable");
    }

    [Fact]
    public async Task A_data_source_that_is_disposed_before_the_host_is_named()
    {
        var server = await Servers.PostgresAsync();
        var database = await server.CreateDatabaseAsync("gone");
        var dataSource = NpgsqlDataSource.Create(server.ConnectionString(database));
        using var host = NewHost(tasks => tasks.UsePostgreSql(dataSource), TaskRoles.Client);
        await host.StartAsync();
        await dataSource.DisposeAsync();

        var get = () => host.Services.GetRequiredService<ITaskClient>().GetAsync("t");

        (await get.Should().ThrowAsync<ObjectDisposedException>()).Which.Message.Should().Be(
            "The NpgsqlDataSource of the tasks was disposed of; dispose of it after the host. "
            + $"(PostgreSQL at 127.0.0.1:{server.Port}, database \"{database}\", schema \"kaiju_tasks\")");
    }

    /// <summary>Every member that writes, and one that reads, on a data source that is not disposed.</summary>
    [Fact]
    public async Task Every_member_of_a_disposed_store_throws_ObjectDisposedException()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.ClaimedAsync(rig);
        await ((PostgreSqlTaskStore)rig.Store).DisposeAsync();

        // Members with a next task first read the record of task "x".
        var members = CutMembers.All.Where(member => !member.Key.Contains("next task", StringComparison.Ordinal))
            .ToDictionary(member => member.Key, member => member.Value.Act);
        members.Add("GetAsync", async cut => $"{await cut.Store.GetAsync("a", default)}");
        foreach (var (name, act) in members)
        {
            (await FluentActions.Awaiting(() => act(rig)).Should()
                .ThrowAsync<ObjectDisposedException>(name)).Which.Message.Should().Be(
                "The task store was disposed of with its host or service provider; the step did not run.");
        }
    }

    [Theory]
    [InlineData("Host=db;Database=shop", "PostgreSQL at db:5432, database \"shop\", schema \"kaiju_tasks\"")]
    [InlineData(
        "Server=db;Port=77;DB=shop;User ID=me;Password=geh3im",
        "PostgreSQL at db:77, database \"shop\", schema \"kaiju_tasks\"")]
    [InlineData(
        "Host=one,two:99;Database=shop", "PostgreSQL at one:5432, two:99, database \"shop\", schema \"kaiju_tasks\"")]
    [InlineData(
        "Host=/run/postgresql;Username=me", "PostgreSQL at /run/postgresql, database \"me\", schema \"kaiju_tasks\"")]
    [InlineData("Host=db", "PostgreSQL at db:5432, schema \"kaiju_tasks\"")]
    public void A_place_consists_of_servers_database_and_schema(string connectionString, string place) =>
        new Place(connectionString, "kaiju_tasks").ToString().Should().Be(place);

    private static async Task<Exception> RefusalOfAsync(Action<KaijuTasksBuilder> use)
    {
        using var host = NewHost(use, TaskRoles.All);
        return (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<Exception>()).Which;
    }

    private static IHost NewHost(Action<KaijuTasksBuilder> use, TaskRoles roles)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        use(builder.Services.AddKaijuTasks(options => options.Roles = roles).AddCommand("do", () => 1));
        return builder.Build();
    }

    private static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };
}
