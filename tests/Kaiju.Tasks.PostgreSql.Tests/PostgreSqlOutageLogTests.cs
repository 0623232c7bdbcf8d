using Kaiju.Tasks.Tests;
using Kaiju.Tasks.Tests.Callers;
using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// A server that is gone for a while logs one line when it goes and one when it returns, for all callers together.
/// </summary>
[Collection(Alone.Name)]
public sealed class PostgreSqlOutageLogTests
{
    [Fact]
    public async Task A_server_that_dies_and_returns_logs_two_lines()
    {
        await using var server = await PostgresServer.StartAsync();
        var log = new LineLog(LogLevel.Information);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log.NewProvider());
        builder.Services.AddKaijuTasks(
            options =>
                (options.PollInterval, options.PingInterval) = (TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1)))
            .UsePostgreSql(server.ConnectionString(await server.CreateDatabaseAsync("outage"), "Timeout=5"))
            .AddCommand("do", (int id) => Task.Delay(100));
        using var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateManyAsync([.. Enumerable.Range(0, 32).Select(i => new TaskDefinition
        {
            Id = $"t{i}", Commands = [.. Enumerable.Range(0, 20).Select(_ => new TaskCommand("do", new { id = i }))],
        })]);
        var before = log.Lines.Count;

        server.Kill();
        await log.Has(530).WaitAsync(TimeSpan.FromSeconds(30));
        await client.Awaiting(away => away.GetAsync("t0")).Should().ThrowAsync<Exception>();
        server.Launch();

        var runs = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => WaitAsync(client, $"t{i}")))
            .WaitAsync(TimeSpan.FromSeconds(60));
        await log.Has(532).WaitAsync(TimeSpan.FromSeconds(30));
        await host.StopAsync();

        runs.Should().OnlyContain(run => run.State == TaskState.Finished);

        // Claims are not synced to disk: those that the server lost when it died are logged for each task.
        var lines = log.Lines.Skip(before).Where(line => line.Id is not (104 or 203)).ToList();
        lines.Select(line => line.Id).Should().Equal(530, 532);
        lines[0].Exception.Should().NotBeNull();
    }

    /// <summary>Conflicts of transactions are not an outage: only a lost connection or an unfit session is.</summary>
    [Theory]
    [InlineData("40001", false)]
    [InlineData("53200", true)]
    public async Task A_retried_step_is_an_outage_only_if_the_server_caused_it(
        string sqlState, bool isOutage)
    {
        var server = await Servers.PostgresAsync();
        var database = await server.CreateDatabaseAsync("repeated");
        var log = new LineLog(LogLevel.Information);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log.NewProvider());
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client)
            .UsePostgreSql(server.ConnectionString(database));
        using var host = builder.Build();
        await host.StartAsync();
        await server.ExecuteAsync(database, $"""
            create sequence tries;
            create function fail_at_first() returns trigger language plpgsql as $$
                begin
                if nextval('tries') <= 4 then raise exception 'again' using errcode = '{sqlState}'; end if;
                return new;
            end $$;
            create trigger fail_at_first before insert on kaiju_tasks.tasks
                for each row execute function fail_at_first()
            """);

        await host.Services.GetRequiredService<ITaskClient>().CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("do")] });

        log.Lines.Select(line => line.Id).Where(id => id is 530 or 532).Should().Equal(isOutage ? [530, 532] : []);
        await host.StopAsync();
    }

    /// <summary>A client's call fails if the outage is longer than the store's retries.</summary>
    private static async Task<TaskRun> WaitAsync(ITaskClient client, string id)
    {
        while (true)
        {
            try
            {
                return await client.WaitAsync(id);
            }
            catch (Exception e) when (e is not TaskHostStoppedException)
            {
                await Task.Yield();
            }
        }
    }
}
