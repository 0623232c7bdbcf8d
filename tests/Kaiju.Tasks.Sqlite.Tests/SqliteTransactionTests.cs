using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>A task and what it is about come into being together or not at all.</summary>
public sealed class SqliteTransactionTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFile _file = new();
    private readonly TaskCompletionSource<string> _ran = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IHost? _host;

    private ITaskClient Client => _host!.Services.GetRequiredService<ITaskClient>();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.PollInterval = TimeSpan.FromMinutes(1))
            .UseSqlite(_file.ConnectionString, options => options.ChangePollInterval = TimeSpan.FromMilliseconds(10))
            .AddCommand("do", (StageContext stage) => _ran.TrySetResult(stage.TaskId));
        _host = builder.Build();
        await _host.StartAsync();
        await using var context = new OrderContext(_file.ConnectionString);
        await context.Database.ExecuteSqlRawAsync("create table orders (id integer primary key)");
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
        SqliteConnection.ClearAllPools();
    }

    public void Dispose() => _file.Dispose();

    private async Task<SqliteConnection> OpenAsync()
    {
        var connection = new SqliteConnection(_file.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(
        SqliteConnection connection, string text, SqliteTransaction? transaction = null)
    {
        await using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (text, transaction);
        await command.ExecuteScalarAsync();
    }

    [Fact]
    public async Task Rolled_back_a_task_has_never_existed_and_committed_it_is_found_at_once()
    {
        await using var connection = new SqliteConnection(_file.ConnectionString);
        await connection.OpenAsync();
        await using (var transaction = (SqliteTransaction)await connection.BeginTransactionAsync())
        {
            await Client.CreateAsync(Definition("never"), new() { Transaction = transaction });
            await transaction.RollbackAsync();
        }

        (await Client.GetAsync("never")).Should().BeNull();
        await using (var transaction = (SqliteTransaction)await connection.BeginTransactionAsync())
        {
            var answer = await Client.CreateAsync(Definition("t"), new() { Transaction = transaction });
            answer.Result.Should().Be(CreateResult.Created);
            (await Client.GetAsync("t")).Should().BeNull("it is not committed");
            await transaction.CommitAsync();
        }

        (await _ran.Task.WaitAsync(TimeSpan.FromSeconds(30))).Should().Be(
            "t", "the file is looked at far more often than the poll interval says");
    }

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
    public async Task What_is_refused_leaves_the_transaction_as_it_was()
    {
        await Client.CreateAsync(Definition("t"));
        await using var connection = new SqliteConnection(_file.ConnectionString);
        await connection.OpenAsync();
        await using var transaction = (SqliteTransaction)await connection.BeginTransactionAsync();

        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("t"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<TaskExistsException>();
        await FluentActions.Awaiting(
            () => Client.CreateAsync(new TaskDefinition { Commands = [] }, new() { Transaction = transaction }))
            .Should().ThrowAsync<TaskValidationException>();
        await Client.CreateAsync(Definition("u"), new() { Transaction = transaction });
        await transaction.CommitAsync();

        (await Client.GetAsync("u")).Should().NotBeNull();
        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("v"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<ArgumentException>().WithMessage("*has ended*");
    }

    [Fact]
    public async Task A_creation_that_fails_halfway_leaves_nothing_of_it_in_the_transaction()
    {
        await using var connection = new SqliteConnection(_file.ConnectionString);
        await connection.OpenAsync();
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

    [Fact]
    public async Task With_Entity_Framework_a_task_is_part_of_its_current_transaction()
    {
        await using var context = new OrderContext(_file.ConnectionString);
        foreach (var (id, commits) in new[] { (1, false), (2, true) })
        {
            await using var transaction = await context.Database.BeginTransactionAsync();
            context.Orders.Add(new Order { Id = id });
            await context.SaveChangesAsync();
            await Client.CreateAsync(
                Definition($"order-{id}"),
                new() { Transaction = (SqliteTransaction)context.Database.CurrentTransaction!.GetDbTransaction() });
            await (commits ? transaction.CommitAsync() : transaction.RollbackAsync());
            context.ChangeTracker.Clear();
        }

        (await context.Orders.Select(order => order.Id).ToListAsync()).Should().Equal(2);
        (await Client.GetAsync("order-1")).Should().BeNull();
        (await Client.GetAsync("order-2")).Should().NotBeNull();
    }

    /// <summary>What docs/transactions.md says of it.</summary>
    [Fact]
    public async Task EnsureCreated_does_nothing_beside_the_tables_of_tasks_and_CreateTables_creates_the_others()
    {
        using var file = new TemporaryFile();
        await SqliteSchema.MigrateAsync(file.Options);
        await using var context = new OrderContext($"{file.ConnectionString};Pooling=False");
        (await context.Database.EnsureCreatedAsync()).Should().BeFalse();
        await context.Orders.Invoking(orders => orders.CountAsync()).Should().ThrowAsync<SqliteException>();

        await context.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();

        (await context.Orders.CountAsync()).Should().Be(0);
    }

    private static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };
}

public sealed class Order
{
    public int Id { get; set; }
}

public sealed class OrderContext(string connectionString) : DbContext
{
    public DbSet<Order> Orders => Set<Order>();

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) =>
        optionsBuilder.UseSqlite(connectionString);

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Order>(order =>
    {
        order.ToTable("orders");
        order.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
    });
}
