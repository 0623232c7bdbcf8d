using System.Collections.Concurrent;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>Hints of a process to others by NOTIFY.</summary>
public sealed class PostgreSqlHintTests
{
    private static readonly TimeSpan _gap = TimeSpan.FromMilliseconds(5);

    private static readonly TaskDefinitionChecker _checker = NewChecker();

    [Fact]
    public async Task Many_successive_creations_send_few_notifications_including_one_for_the_last()
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
        await using (var store = new PostgreSqlTaskStore(
            dataSource,
            new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance))
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
        payloads.Select(payload => HintPayload.Read(payload).Hint).Should().OnlyContain(
            hint => hint.Kinds == StoreHintKinds.Queued && hint.Apps.ToString() == "default");
        payloads.Count.Should().BeLessThanOrEqualTo(most, "each waits for the gap after the one before it");
    }

    /// <summary>The caller's trace, ambient transaction and locals would otherwise live as long as the store.</summary>
    [Fact]
    public async Task Listening_does_not_capture_the_context_of_the_call_that_began_it()
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = NpgsqlDataSource.Create(
            server.ConnectionString(await server.CreateDatabaseAsync("context")));
        await using var store = new PostgreSqlTaskStore(
            dataSource,
            new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);
        var local = new AsyncLocal<string> { Value = "the first caller's" };
        var heard = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listening = store.Listen(_ => heard.TrySetResult(local.Value));

        await store.StartAsync(default);

        (await heard.Task.WaitAsync(TimeSpan.FromSeconds(30))).Should().BeNull();
    }

    [Fact]
    public async Task A_creation_does_not_send_its_hint_before_earlier_waiting_ones()
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = NpgsqlDataSource.Create(
            server.ConnectionString(await server.CreateDatabaseAsync("turns")));
        var connections = new PostgreSqlConnections(
            dataSource, null, new Place(dataSource.ConnectionString, "kaiju_tasks"));
        await using var channel = new HintChannel(
            connections,
            new DedicatedConnection(connections),
            new PostgreSqlTasksOptions(),
            new HintListeners(),
            NullLogger.Instance,
            null,
            "sender");
        var first = Turn();
        channel.Send(new StoreHint(StoreHintKinds.Ended));
        var second = Turn();

        TimeProvider.System.GetElapsedTime(first.Asked, second.Given).Should().BeGreaterThan(
            1.9 * _gap, "the waiting hint has the next turn, and a creation the one after it");

        // The times at which a turn was requested and given: this thread may pause between the two.
        (long Asked, long Given) Turn()
        {
            var began = TimeProvider.System.GetTimestamp();
            for (var now = began; TimeProvider.System
                .GetElapsedTime(began, now) < TimeSpan.FromSeconds(30); now = TimeProvider.System.GetTimestamp())
            {
                if (channel.TryTakeTurn())
                {
                    return (now, TimeProvider.System.GetTimestamp());
                }
            }

            throw new TimeoutException("There was no turn.");
        }
    }

    [Fact]
    public void A_payload_is_read_as_it_was_written()
    {
        var hint = default(StoreHint)
            .With(StoreHintKinds.Queued, "shop", "t1").With(StoreHintKinds.Queued, "mail \"x\"", "t2")
            .With(StoreHintKinds.Ended, null, "é𝄞").With(StoreHintKinds.ClaimLost, null, "t 4");

        HintPayload.Read(HintPayload.Write(hint, "me")).Should().Be((hint, "me"));
        HintPayload.Read(HintPayload.Write(default(StoreHint).With(StoreHintKinds.Duty, null, null), "")).Hint.Kinds
            .Should().Be(StoreHintKinds.Duty);
    }

    [Theory]
    [InlineData("", StoreHintKinds.All)]
    [InlineData("2", StoreHintKinds.Queued)]
    [InlineData("66", StoreHintKinds.Queued)]
    [InlineData("2\nsomebody", StoreHintKinds.All)]
    [InlineData("{\"v\":3}", StoreHintKinds.All)]
    public void A_payload_of_another_version_is_about_any_app_and_task(string payload, StoreHintKinds kinds)
    {
        var (hint, sender) = HintPayload.Read(payload);

        hint.Should().Be(new StoreHint(kinds));
        sender.Should().BeEmpty();
    }

    [Fact]
    public void A_payload_does_not_parse_as_a_number_for_a_version_that_knows_only_kinds()
    {
        var payload = HintPayload.Write(new StoreHint(StoreHintKinds.Queued), "");

        int.TryParse(
            payload, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _)
            .Should().BeFalse("text that is not a number counts as a hint about anything");
    }

    [Fact]
    public void Names_that_do_not_fit_into_a_payload_are_left_out()
    {
        var hint = default(StoreHint).With(StoreHintKinds.Queued, "shop", null);
        for (var i = 0; i < HintNames.Most; i++)
        {
            hint = hint.With(StoreHintKinds.Ended, null, $"{i:00}{new string('é', 198)}");
        }

        var payload = HintPayload.Write(hint, "me");

        System.Text.Encoding.UTF8.GetByteCount(payload).Should().BeLessThanOrEqualTo(HintPayload.MostBytes);
        HintPayload.Read(payload).Hint.Should().Match<StoreHint>(
            read => read.TaskIds.IsAny && read.Apps.ToString() == "shop");
        HintPayload.Read(
            HintPayload.Write(default(StoreHint).With(StoreHintKinds.Ended, null, "a\tb"), "")).Hint.TaskIds.IsAny
            .Should()
            .BeTrue();
    }

    [Fact]
    public async Task A_process_ignores_its_own_notifications_and_others_read_their_apps_and_tasks()
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = NpgsqlDataSource.Create(
            server.ConnectionString(await server.CreateDatabaseAsync("echo")));
        await using var own = NewStore(dataSource);
        await using var other = NewStore(dataSource);
        var (heard, heardByOther) = (new ConcurrentQueue<StoreHint>(), new ConcurrentQueue<StoreHint>());
        await ListenAsync(own, heard);
        await ListenAsync(other, heardByOther);

        await own.CreateAsync([_checker.Prepare(Definition(1) with { AppName = "shop" })], OnConflict.Fail, default);
        await UntilAsync(() => heardByOther.Any(hint => hint.Kinds == StoreHintKinds.Queued));
        await own.CancelAsync("t1", default);
        await UntilAsync(() => heardByOther.Any(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended)));
        await other.ResetAsync("t1", default);
        await UntilAsync(() => heard.Any(hint => hint.Kinds.HasFlag(StoreHintKinds.Duty)));

        heardByOther.First(hint => hint.Kinds == StoreHintKinds.Queued).Apps.ToString().Should().Be("shop");
        heardByOther.First(hint => hint.Kinds.HasFlag(StoreHintKinds.Ended)).TaskIds.ToString().Should().Be("t1");
        heard.Where(hint => hint.Kinds == StoreHintKinds.Queued).Should().ContainSingle(
            "a process ignores its own notifications");
    }

    private static PostgreSqlTaskStore NewStore(NpgsqlDataSource dataSource) =>
        new(
            dataSource,
            new PostgreSqlTasksOptions(),
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);

    /// <summary>Listens, and completes when the store receives notifications of others.</summary>
    private static async Task ListenAsync(PostgreSqlTaskStore store, ConcurrentQueue<StoreHint> heard)
    {
        store.Listen(heard.Enqueue);
        await store.StartAsync(default);
        await UntilAsync(() => !heard.IsEmpty);
        heard.Clear();
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), bound.Token);
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
