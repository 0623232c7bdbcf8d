using System.Globalization;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>What a process says to others by NOTIFY.</summary>
public sealed class PostgreSqlHintTests
{
    private static readonly TimeSpan _gap = TimeSpan.FromMilliseconds(5);

    private static readonly TaskDefinitionChecker _checker = NewChecker();

    [Fact]
    public async Task Many_creations_after_one_another_are_few_notifications_and_the_last_of_them_is_told()
    {
        var server = await Servers.PostgresAsync();
        var connectionString = server.ConnectionString(await server.CreateDatabaseAsync("hints"));
        var payloads = new List<string>();
        await using var listener = new NpgsqlConnection(connectionString);
        await listener.OpenAsync();
        listener.Notification += (_, notification) => payloads.Add(notification.Payload);
        await using (var listen = new NpgsqlCommand("listen kaiju_tasks", listener))
        {
            await listen.ExecuteNonQueryAsync();
        }

        await using var dataSource = NpgsqlDataSource.Create(connectionString);
        var began = TimeProvider.System.GetTimestamp();
        await using (var store = new PostgreSqlTaskStore(dataSource, new PostgreSqlTasksOptions(), new LifecycleRules(), IdSource.Random, NullLogger<PostgreSqlTaskStore>.Instance))
        {
            for (var task = 0; task < 200; task++)
            {
                var before = payloads.Count;
                await store.CreateAsync([_checker.Prepare(Definition(task))], OnConflict.Skip, CancellationToken.None);
                while (task == 199 && payloads.Count == before)
                {
                    await listener.WaitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
                }
            }
        }

        var most = (int)(TimeProvider.System.GetElapsedTime(began) / _gap) + 1;
        payloads.Should().OnlyContain(payload => payload == ((int)StoreHintKinds.Queued).ToString(CultureInfo.InvariantCulture));
        payloads.Count.Should().BeLessThanOrEqualTo(most, "each waits for the gap after the one before it");
    }

    [Fact]
    public async Task A_creation_has_no_turn_before_what_waits_to_be_told()
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString(await server.CreateDatabaseAsync("turns")));
        var sessions = new Sessions(dataSource, null);
        await using var channel = new HintChannel(sessions, new OwnConnection(sessions), new PostgreSqlTasksOptions(), new HintListeners(), NullLogger.Instance);
        var first = Turn();
        channel.Send(StoreHintKinds.Ended);
        var second = Turn();

        TimeProvider.System.GetElapsedTime(first.Asked, second.Given).Should().BeGreaterThan(1.9 * _gap, "the next turn is that of what waits, and a creation's the one after it");

        // When a turn was asked for and when it was given: this thread may stand still between the two.
        (long Asked, long Given) Turn()
        {
            var began = TimeProvider.System.GetTimestamp();
            for (var now = began; TimeProvider.System.GetElapsedTime(began, now) < TimeSpan.FromSeconds(30); now = TimeProvider.System.GetTimestamp())
            {
                if (channel.TryTakeTurn())
                {
                    return (now, TimeProvider.System.GetTimestamp());
                }
            }

            throw new TimeoutException("There was no turn.");
        }
    }

    private static TaskDefinitionChecker NewChecker()
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks();
        return services.BuildServiceProvider().GetRequiredService<TaskDefinitionChecker>();
    }

    private static TaskDefinition Definition(int task) => new() { Id = $"t{task}", Commands = [new TaskCommand("do")] };
}
