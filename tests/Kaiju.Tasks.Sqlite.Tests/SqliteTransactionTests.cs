using System.Data.Common;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteTransactionTests : TransactionTests, IDisposable
{
    private readonly List<TemporaryFile> _files = [];

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools();
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    [Fact]
    public async Task A_creation_in_a_deferred_transaction_waits_for_the_lock_of_another_one()
    {
        await using var other = await OpenAsync();
        await using var held = other.BeginTransaction(deferred: false);
        await using var connection = await OpenAsync();
        await using var transaction = connection.BeginTransaction(deferred: true);

        var creating = Client.CreateAsync(Definition("t"), new() { Transaction = transaction });
        creating.IsCompleted.Should().BeFalse("the file is locked");
        await held.RollbackAsync();

        (await creating.WaitAsync(TimeSpan.FromSeconds(30))).Result.Should().Be(CreateResult.Created);
        await transaction.CommitAsync();
    }

    [Fact]
    public async Task A_creation_in_a_transaction_that_can_never_write_fails_at_once()
    {
        await using var connection = await OpenAsync();
        await using var transaction = connection.BeginTransaction(deferred: true);
        await ExecuteAsync(connection, "select count(*) from orders", transaction);
        await using (var other = await OpenAsync())
        {
            await ExecuteAsync(other, "insert into orders (id) values (77)");
        }

        var failed = await FluentActions.Awaiting(
            () => Client.CreateAsync(Definition("t"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<SqliteException>();

        failed.Which.SqliteExtendedErrorCode.Should().Be(SQLitePCL.raw.SQLITE_BUSY_SNAPSHOT);
        failed.Which.Message.Should().NotContain(nameof(SqliteTasksOptions.BusyTimeout), "it did not wait");
    }

    [Fact]
    public async Task A_creation_that_fails_halfway_leaves_nothing_in_the_transaction()
    {
        await using var connection = await OpenAsync();
        await using (var trigger = connection.CreateCommand())
        {
            trigger.CommandText =
                "create trigger refuses before insert on kaiju_states when new.app = 'refused' begin select "
                    + "raise(abort, 'refused'); end";
            await trigger.ExecuteNonQueryAsync();
        }

        await using (var transaction = (SqliteTransaction)await connection.BeginTransactionAsync())
        {
            await FluentActions.Awaiting(
                () => Client.CreateAsync(
                    Definition("t") with { AppName = "refused" }, new() { Transaction = transaction }))
                .Should()
                .ThrowAsync<SqliteException>()
                .WithMessage("*refused*");
            await Client.CreateAsync(Definition("u"), new() { Transaction = transaction });
            await transaction.CommitAsync();
        }

        await using var ids = connection.CreateCommand();
        ids.CommandText = "select group_concat(id) from kaiju_tasks";
        (await ids.ExecuteScalarAsync()).Should().Be(
            "u", "the row of the other definition was written before its state was refused");
    }

    protected override Task<string> NewDatabaseAsync()
    {
        var file = new TemporaryFile();
        _files.Add(file);
        return Task.FromResult(file.ConnectionString);
    }

    protected override Task MigrateAsync(string connectionString) =>
        SqliteSchema.MigrateAsync(new SqliteTasksOptions { ConnectionString = connectionString });

    protected override void UseStore(KaijuTasksBuilder tasks, string connectionString) => tasks.UseSqlite(
        connectionString, options => options.ChangePollInterval = TimeSpan.FromMilliseconds(10));

    protected override DbConnection NewConnection(string connectionString) => new SqliteConnection(connectionString);

    protected override void UseDatabase(DbContextOptionsBuilder options, string connectionString) =>
        options.UseSqlite(connectionString);

    private static async Task ExecuteAsync(
        SqliteConnection connection, string text, SqliteTransaction? transaction = null)
    {
        await using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (text, transaction);
        await command.ExecuteScalarAsync();
    }

    private new async Task<SqliteConnection> OpenAsync() => (SqliteConnection)await base.OpenAsync();
}
