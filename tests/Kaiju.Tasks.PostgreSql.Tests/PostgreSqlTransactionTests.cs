using System.Data.Common;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlTransactionTests : TransactionTests
{
    [Fact]
    public async Task The_transactions_notification_names_created_tasks_and_a_skipped_creation_sends_none()
    {
        await Client.CreateAsync(Definition("t"));
        await using var listener = await OpenAsync();
        var payloads = new List<string>();
        listener.Notification += (_, notification) => payloads.Add(notification.Payload);
        await ExecuteAsync(listener, "listen kaiju_tasks");
        await using var connection = await OpenAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            (await Client.CreateAsync(
                Definition("t"),
                new()
                {
                    Transaction = transaction,
                    OnConflict = OnConflict.Skip,
                })).Result.Should().Be(CreateResult.Skipped);
            await ExecuteAsync(connection, "notify kaiju_tasks, 'skipped'");
            await transaction.CommitAsync();
        }

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Client.CreateAsync(Definition("u") with { AppName = "shop" }, new() { Transaction = transaction });
            await ExecuteAsync(connection, "notify kaiju_tasks, 'created'");
            await transaction.CommitAsync();
        }

        while (!payloads.Contains("created"))
        {
            await listener.WaitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        }

        // Notifications without a sender are of transactions; the others are of the host's own steps.
        payloads.TakeWhile(payload => payload != "skipped").Select(HintPayload.Read)
            .Should().NotContain(read => read.Sender == "");
        payloads.SkipWhile(payload => payload != "skipped").Skip(1)
            .TakeWhile(payload => payload != "created").Select(HintPayload.Read)
            .Should().ContainSingle(read => read.Sender == "").Which.Hint.Should().Match<StoreHint>(
                hint => hint.Kinds == StoreHintKinds.Queued && hint.Apps.ToString() == "shop");

        static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    protected override async Task<string> NewDatabaseAsync()
    {
        var server = await Servers.PostgresAsync();
        return server.ConnectionString(await server.CreateDatabaseAsync("transactions"));
    }

    protected override async Task MigrateAsync(string connectionString)
    {
        await using var dataSource = NpgsqlDataSource.Create(connectionString);
        await PostgreSqlSchema.MigrateAsync(dataSource);
    }

    protected override void UseStore(KaijuTasksBuilder tasks, string connectionString) =>
        tasks.UsePostgreSql(connectionString);

    protected override DbConnection NewConnection(string connectionString) => new NpgsqlConnection(connectionString);

    protected override void UseDatabase(DbContextOptionsBuilder options, string connectionString) =>
        options.UseNpgsql(connectionString);

    private new async Task<NpgsqlConnection> OpenAsync() => (NpgsqlConnection)await base.OpenAsync();
}
