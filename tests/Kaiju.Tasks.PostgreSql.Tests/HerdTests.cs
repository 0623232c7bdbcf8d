using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit.Abstractions;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// A task's cost for the server does not depend on waiters for other tasks or executors of other apps. The server
/// counts its transactions.
/// </summary>
public sealed class HerdTests(ITestOutputHelper output)
{
    private const int Tasks = 200;

    [Fact]
    public async Task A_tasks_cost_does_not_grow_with_waiters_for_other_tasks_and_executors_of_other_apps()
    {
        var alone = await CostAsync(new Herd());
        var besideWaiters = await CostAsync(new Herd { Waiters = 100 });
        var besideClients = await CostAsync(new Herd { Clients = 5 });
        var besideWaitersElsewhere = await CostAsync(new Herd { Clients = 5, WaitersElsewhere = 100 });
        var besideExecutors = await CostAsync(new Herd { Executors = 5 });

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"transactions a task: {alone:0.00} alone, {besideWaiters:0.00} beside waiters; {besideClients:0.00} "
                + $"beside five clients, {besideWaitersElsewhere:0.00} with waiters in one; {besideExecutors:0.00} "
                + $"beside five executors"));
        besideWaiters.Should().BeLessThan(alone * 1.3);

        // The server counts a transaction for each notification that a listening session receives. So runs with equal
        // numbers of processes are compared.
        besideWaitersElsewhere.Should().BeLessThan(besideClients * 1.3);
        besideExecutors.Should().BeLessThan(besideClients * 1.3);
    }

    /// <summary>Transactions of a task: those of a run with tasks minus those of the same run without.</summary>
    private static async Task<double> CostAsync(Herd herd) =>
        (await CountAsync(herd, Tasks) - await CountAsync(herd, 0)) / (double)Tasks;

    private static async Task<long> CountAsync(Herd herd, int tasks)
    {
        var server = await Servers.PostgresAsync();
        var database = await server.CreateDatabaseAsync("herd");
        var connectionString = server.ConnectionString(database);
        var done = new SemaphoreSlim(0);
        var hosts = new List<IHost> { await StartAsync(connectionString, TaskRoles.All, "default", done) };
        for (var other = 0; other < herd.Clients; other++)
        {
            hosts.Add(await StartAsync(connectionString, TaskRoles.Client, "default", done));
        }

        for (var executor = 0; executor < herd.Executors; executor++)
        {
            hosts.Add(await StartAsync(connectionString, TaskRoles.Executor, $"other{executor}", done));
        }

        var client = hosts[0].Services.GetRequiredService<ITaskClient>();
        var waiting = await WaitAsync(hosts[0], herd.Waiters);
        waiting.AddRange(await WaitAsync(hosts[^1], herd.WaitersElsewhere));
        for (var task = 0; task < tasks; task++)
        {
            await client.CreateAsync(new TaskDefinition { Commands = [new("do")] });
            (await done.WaitAsync(TimeSpan.FromSeconds(30))).Should().BeTrue();
        }

        foreach (var host in Enumerable.Reverse(hosts))
        {
            await host.StopAsync();
            host.Dispose();
        }

        await Task.WhenAll(waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await TransactionsAsync(server.ConnectionString("postgres"), database);
    }

    private static async Task<List<Task>> WaitAsync(IHost host, int count)
    {
        var client = host.Services.GetRequiredService<ITaskClient>();
        var waiting = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var parked = await client.CreateAsync(
                new TaskDefinition { RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
            waiting.Add(client.WaitAsync(parked.TaskId));
        }

        return waiting;
    }

    private static async Task<IHost> StartAsync(
        string connectionString, TaskRoles roles, string app, SemaphoreSlim done)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(
            options => (options.Roles, options.AppName, options.PollInterval) = (roles, app, TimeSpan.FromMinutes(10)))
            .UsePostgreSql(connectionString).AddCommand("do", () => done.Release());
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>
    /// The database's transactions. Sessions report theirs when they end, so the count is read after the last one.
    /// </summary>
    private static async Task<long> TransactionsAsync(string connectionString, string database)
    {
        await using var dataSource = NpgsqlDataSource.Create(connectionString);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await AskAsync("select count(*) from pg_stat_activity where datname = $1") > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), bound.Token);
        }

        return await AskAsync("select xact_commit from pg_stat_database where datname = $1");

        async Task<long> AskAsync(string sql)
        {
            await using var command = dataSource.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = database });
            return (long)(await command.ExecuteScalarAsync(bound.Token))!;
        }
    }

    /// <summary>The processes beside the host that runs the tasks.</summary>
    private sealed record Herd
    {
        /// <summary>Waits for other tasks in the same process.</summary>
        public int Waiters { get; init; }

        /// <summary>Waits for other tasks in one of the <see cref="Clients"/>.</summary>
        public int WaitersElsewhere { get; init; }

        /// <summary>Hosts that only listen.</summary>
        public int Clients { get; init; }

        /// <summary>Hosts that execute tasks of other apps.</summary>
        public int Executors { get; init; }
    }
}
